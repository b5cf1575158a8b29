#include "client/show/color.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;

TEST_CASE("Color: a choice, then the variables by rank, then the terminal") {
  struct Row {
    const char* name;
    ColorChoice choice;
    ColorSigns signs;
    bool colored;
  };
  using enum ColorChoice;
  const std::vector<Row> table{
      {"terminal", automatic, {true, "xterm"}, true},
      {"file", automatic, {false, "xterm"}, false},
      {"dumb", automatic, {true, "dumb"}, false},
      {"TERM empty", automatic, {true, ""}, false},
      {"no TERM", automatic, {true}, false},
      {"always, to a file", always, {false}, true},
      {"always beats NO_COLOR", always, {false, "dumb", "1"}, true},
      {"never", never, {true, "xterm", {}, {}, "1", "1"}, false},
      {"NO_COLOR", automatic, {true, "xterm", "1"}, false},
      {"NO_COLOR=0 counts, too", automatic, {true, "xterm", "0"}, false},
      {"NO_COLOR empty", automatic, {true, "xterm", ""}, true},
      {"NO_COLOR beats FORCE_COLOR", automatic, {true, "xterm", "1", {}, "1", "1"}, false},
      {"CLICOLOR_FORCE", automatic, {false, {}, {}, {}, "1"}, true},
      {"CLICOLOR_FORCE=0", automatic, {false, {}, {}, {}, "0"}, false},
      {"FORCE_COLOR", automatic, {false, "dumb", {}, {}, {}, "1"}, true},
      {"FORCE_COLOR empty", automatic, {false, {}, {}, {}, {}, ""}, false},
      {"CLICOLOR=0", automatic, {true, "xterm", {}, "0"}, false},
      {"CLICOLOR=1", automatic, {true, "xterm", {}, "1"}, true},
      {"CLICOLOR=1, to a file", automatic, {false, "xterm", {}, "1"}, false},
  };
  for (const auto& row : table) {
    CAPTURE(row.name);
    CHECK(wants_color(row.choice, row.signs) == row.colored);
  }
}

TEST_CASE("Color: text has its style where there is colour, and is itself elsewhere") {
  CHECK(Paint(false)(Style::bad, "x") == "x");
  CHECK(Paint(true)(Style::plain, "x") == "x");
  CHECK(Paint(true)(Style::bad, "x") == "\x1b[1;31mx\x1b[0m");
  CHECK(Paint(true)(Style::bad, "").empty());
}

TEST_CASE(
    "Styled line: cut at any width it is what the plain text would be, each piece in its colour") {
  StyledLine line;
  line.add("ab").add("cd", Style::good).add("ef", Style::bad);
  CHECK(line.width() == 6);
  CHECK(line.text(6, Paint(true)) == "ab\x1b[32mcd\x1b[0m\x1b[1;31mef\x1b[0m");
  CHECK(line.text(4, Paint(true)) == "ab\x1b[32mc…\x1b[0m");
  CHECK(line.text(5, Paint(true)) == "ab\x1b[32mcd\x1b[0m\x1b[1;31m…\x1b[0m");
  const std::vector<std::string> cuts{"", "…", "a…", "ab…", "abc…", "abcd…", "abcdef", "abcdef"};
  for (std::size_t columns = 0; columns < cuts.size(); ++columns)
    CHECK(line.text(columns, Paint()) == cuts[columns]);
}
