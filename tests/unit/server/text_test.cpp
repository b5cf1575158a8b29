#include "server/text.hpp"

#include <doctest/doctest.h>

#include "protocol/utf8.hpp"

using namespace hearth::server;
using namespace std::string_literals;

TEST_CASE("Text: the valid prefix, and whether what follows may be the beginning of a character") {
  const struct {
    std::string bytes;
    std::size_t valid;
    bool may_be_cut_off;
  } cases[] = {
      {"", 0, false},
      {"plain", 5, false},
      {"nul\0here"s, 8, false},
      {"\xC3\xBC", 2, false},
      {"\xE2\x82\xAC", 3, false},
      {"\xF0\x9F\x94\xA5", 4, false},
      {"a\xC3", 1, true},
      {"\xE2", 0, true},
      {"\xE2\x82", 0, true},
      {"\xF0\x9F\x94", 0, true},
      {"a\xC3z", 1, false},
      {"\x80", 0, false},
      {"ab\xFF", 2, false},
      {"\xC0\x80", 0, false},  // overlong
      {"\xC1\xBF", 0, false},
      {"\xE0\x80\x80", 0, false},
      {"\xE0\x9F", 0, false},
      {"\xED\xA0\x80", 0, false},  // a surrogate
      {"\xF4\x90\x80\x80", 0, false},
      {"\xF5", 0, false},
      {"\xF4\x8F\xBF\xBF", 4, false},
  };
  for (const auto& one : cases) {
    CAPTURE(one.bytes);
    const Utf8Scan scan = scan_utf8(one.bytes);
    CHECK(scan.valid == one.valid);
    CHECK(scan.may_be_cut_off == one.may_be_cut_off);
  }
}

TEST_CASE("Text: bytes that are none are written as escapes") {
  CHECK(as_text("") == "");
  CHECK(as_text("gr\xC3\xBC\xC3\x9F"
                "e\n\t") ==
        "gr\xC3\xBC\xC3\x9F"
        "e\n\t");
  CHECK(as_text("a\0b\xFF\xC3"s) == "a\\x00b\\xFF\\xC3");
  CHECK(as_text("\xED\xA0\x80") == "\\xED\\xA0\\x80");
}

TEST_CASE(
    "Test ids: control characters, what is no UTF-8 and a % that looks like an escape are "
    "escaped") {
  const struct {
    std::string name;
    std::string id;
  } cases[] = {
      {"Suite.Test", "p.Suite.Test"}, {"", "p."},
      {"\xC3\xBCml", "p.\xC3\xBCml"}, {"tab\there", "p.tab%09here"},
      {"nul\0end"s, "p.nul%00end"},   {"del\x7F", "p.del%7F"},
      {"c1\xC2\x85!", "p.c1%C2%85!"}, {"nbsp\xC2\xA0", "p.nbsp\xC2\xA0"},
      {"bad\xFF\xC3", "p.bad%FF%C3"}, {"100%", "p.100%"},
      {"100% a", "p.100% a"},         {"%41", "p.%2541"},
      {"%aF%4", "p.%25aF%4"},         {"%%41", "p.%%2541"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.name);
    CHECK(make_test_id("p", one.name) == one.id);
  }
}

TEST_CASE("Test ids: every name of two bytes gives valid UTF-8 of its own") {
  std::string last;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const std::string name{static_cast<char>(a), static_cast<char>(b)};
      const std::string id = make_test_id("p", name);
      CHECK(scan_utf8(id).valid == id.size());
      CHECK(id != last);
      last = id;
    }
  }
}
