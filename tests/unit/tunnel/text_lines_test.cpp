#include "tunnel/text_lines.hpp"

#include <doctest/doctest.h>

using hearth::tunnel::TextLines;

TEST_CASE("Text lines: control characters and escape sequences are left out, at any cut") {
  const std::string said =
      "\x1b[31;1mred\x1b[0m\r\n\r\n\x1b]0;title\atab\there\x1b"
      "c\n\xc3\xa9t\xc3\xa9\x7f\n$ ";
  const std::string wanted = "red\n0;titletab here\n\xc3\xa9t\xc3\xa9\n";
  for (std::size_t cut = 0; cut <= said.size(); ++cut) {
    TextLines lines;
    std::string shown = lines.add(said.substr(0, cut));
    shown += lines.add(said.substr(cut));
    REQUIRE(shown == wanted);
    CHECK(lines.has_rest());
    CHECK(lines.finish() == "$ \n");
    CHECK(lines.finish().empty());
  }
}

TEST_CASE("Text lines: a line that does not end is broken") {
  TextLines lines;
  const std::string shown = lines.add(std::string(3 * TextLines::longest + 5, 'x'));
  CHECK(shown.size() == 3 * (TextLines::longest + 1));
  CHECK(lines.finish() == "xxxxx\n");
}
