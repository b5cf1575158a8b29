#include "server/test_id.hpp"

#include <doctest/doctest.h>

#include "protocol/utf8.hpp"

using namespace hearth::server;
using namespace std::string_literals;

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
      CHECK(hearth::protocol::scan_utf8(id).valid == id.size());
      CHECK(id != last);
      last = id;
    }
  }
}
