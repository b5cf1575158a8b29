#include "client/text.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace hearth::client;
using namespace std::chrono_literals;
using namespace std::string_literals;

TEST_CASE("Text: printable keeps what people wrote, and nothing that a terminal acts on") {
  CHECK(printable("plain\n\ttext é 測 🦊") == "plain\n\ttext é 測 🦊");
  CHECK(printable("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(printable("one\r\ntwo\r") == "one\ntwo\\x0d");
  CHECK(printable("a\0b"s) == "a\\x00b");
  CHECK(printable("\x7f\xc2\x9b") == "\\x7f\\xc2\\x9b");  // DEL, and CSI as one character
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(printable_line("one\ntwo\tthree") == "one two three");
}

TEST_CASE("Text: every pair of bytes becomes text that is its own printable form") {
  for (int first = 0; first < 256; ++first) {
    for (int second = 0; second < 256; ++second) {
      const std::string bytes{static_cast<char>(first), static_cast<char>(second)};
      const auto text = printable(bytes);
      if (printable(text) != text) FAIL(first << ' ' << second);
    }
  }
}

TEST_CASE("Text: columns are counted as a terminal counts them") {
  CHECK(display_width("") == 0);
  CHECK(display_width("abc") == 3);
  CHECK(display_width("é") == 1);
  CHECK(display_width("e\u0301") == 1);
  CHECK(display_width("測試") == 4);
  CHECK(display_width("🦊") == 2);
}

TEST_CASE("Text: what does not fit is cut at a character, never above the columns") {
  CHECK(fitted("abcdef", 6) == "abcdef");
  CHECK(fitted("abcdef", 5) == "abcd…");
  CHECK(fitted("測試測試", 8) == "測試測試");
  CHECK(fitted("測試測試", 7) == "測試測…");
  CHECK(fitted("測試測試", 6) == "測試…");
  CHECK(fitted("abc", 1) == "…");
  CHECK(fitted("abc", 0).empty());
  for (std::size_t columns = 0; columns < 12; ++columns)
    CHECK(display_width(fitted("a測e\u0301🦊bcdé", columns)) <= columns);
}

TEST_CASE("Text: indentation takes each line, with or without the last newline") {
  CHECK(indented("a\nb", "  ") == "  a\n  b\n");
  CHECK(indented("a\n\nb\n", "  ") == "  a\n  \n  b\n");
  CHECK(indented("", "  ").empty());
}

TEST_CASE("Text: the last lines are whole lines") {
  CHECK(last_lines("a\nb\nc\n", 2) == "b\nc\n");
  CHECK(last_lines("a\nb\nc", 2) == "b\nc");
  CHECK(last_lines("a\nb\nc\n", 3) == "a\nb\nc\n");
  CHECK(last_lines("a\nb\nc\n", 9) == "a\nb\nc\n");
  CHECK(last_lines("\n\n\n", 1) == "\n");
  CHECK(last_lines("", 1).empty());
}

TEST_CASE("Text: durations grow coarser with their length") {
  CHECK(duration_text(0ns) == "0.000 s");
  CHECK(duration_text(12ms) == "0.012 s");
  CHECK(duration_text(1500ms) == "1.5 s");
  CHECK(duration_text(59'900ms) == "59.9 s");
  CHECK(duration_text(60s) == "1:00 min");
  CHECK(duration_text(125s) == "2:05 min");
  CHECK(duration_text(3723s) == "1:02:03 h");
  CHECK(duration_text(-1s) == "0.000 s");
  CHECK(age_text(120ms) == "0.1 s");
}

TEST_CASE("Text: counts agree with their noun") {
  CHECK(counted(0, "test") == "0 tests");
  CHECK(counted(1, "test") == "1 test");
  CHECK(counted(2, "test") == "2 tests");
}
