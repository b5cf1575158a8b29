#include <doctest/doctest.h>

#include <string>

#include "protocol/subunit_v2.hpp"
#include "protocol/utf8.hpp"

using namespace hearth::protocol;
using namespace std::string_literals;

namespace {

std::string utf8(char32_t c) {
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 0x3F))};
  if (c < 0x10000) {
    return {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 0x3F)),
            static_cast<char>(0x80 | (c & 0x3F))};
  }
  return {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 0x3F)),
          static_cast<char>(0x80 | (c >> 6 & 0x3F)), static_cast<char>(0x80 | (c & 0x3F))};
}

bool is_character(char32_t c) {
  return c != 0 && c < 0x110000 && (c < 0xD800 || c > 0xDFFF);
}

bool mid_character(std::string_view before, unsigned next) {
  CharacterTracker whole;
  whole.put(as_bytes(before));
  CharacterTracker in_pieces;
  for (const char& c : before) in_pieces.put(as_bytes({&c, 1}));
  const bool result = whole.continues_with(static_cast<std::byte>(next));
  CHECK(in_pieces.continues_with(static_cast<std::byte>(next)) == result);
  return result;
}

}  // namespace

TEST_CASE("UTF-8: exactly the Unicode scalar values are characters") {
  int wrong = 0;
  for (char32_t c = 1; c < 0x130000; ++c) {
    const bool accepted = check_string(utf8(c)) == StringFault::none;
    wrong += accepted != is_character(c);
  }
  CHECK(wrong == 0);
}

TEST_CASE("UTF-8: overlong forms, stray and missing continuations are refused") {
  for (std::string_view text :
       {"\xC0\x80", "\xC1\xBF", "\xE0\x80\x80", "\xE0\x9F\xBF", "\xF0\x80\x80\x80",
        "\xF0\x8F\xBF\xBF", "\x80", "\xBF", "\xC2", "\xE2\x82", "\xF0\x9F\x98", "\xC2\x41", "\xFE",
        "\xFF", "\xF5\x80\x80\x80", "\xED\xA0\x80"}) {
    CHECK(check_string(text) == StringFault::not_utf8);
  }
}

TEST_CASE("UTF-8: a fault is found at every place of strings of every short length") {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      std::string text(size, 'a');
      CHECK(check_string(text) == StringFault::none);
      text[at] = '\0';
      CHECK(check_string(text) == StringFault::nul);
      text[at] = '\xFF';
      CHECK(check_string(text) == StringFault::not_utf8);
      text[at] = '\x7F';
      CHECK(check_string(text) == StringFault::none);
    }
  }
}

TEST_CASE("UTF-8: characters across the eight-byte steps") {
  for (std::size_t before = 0; before < 20; ++before) {
    for (std::string_view character : {"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
      std::string text(before, 'a');
      text += character;
      text += "bcdefghijklm";
      CHECK(check_string(text) == StringFault::none);
      text.resize(before + character.size() - 1);
      CHECK(check_string(text) == StringFault::not_utf8);
    }
  }
}

TEST_CASE("UTF-8: a byte in the middle of a character is told from one at a boundary") {
  CHECK(mid_character("\xC2", 0xB3));          // superscript three
  CHECK(mid_character("a\xE2\x82", 0xB3));     // third byte
  CHECK(mid_character("\xE2", 0xB3));          // second byte
  CHECK(mid_character("\xF0\x9F\x98", 0xB3));  // fourth byte
  CHECK_FALSE(mid_character("", 0xB3));
  CHECK_FALSE(mid_character("abc", 0xB3));
  CHECK_FALSE(mid_character("\xC2\xA9", 0xB3));  // a whole character
  CHECK_FALSE(mid_character("\xE2\x82\xAC", 0xB3));
  CHECK_FALSE(mid_character("\xC2", 0x41));
  CHECK_FALSE(mid_character("\xF4", 0xB3));  // beyond U+10FFFF
  CHECK_FALSE(mid_character("\xED", 0xB3));  // a surrogate
}

TEST_CASE("UTF-8: a line that is not UTF-8 has no characters, up to its end") {
  CHECK_FALSE(mid_character("\xB3\xC2", 0xB3));
  CHECK_FALSE(mid_character("\xC0\xC2", 0xB3));
  CHECK_FALSE(mid_character("\xC2\x41\xC2", 0xB3));
  CHECK_FALSE(mid_character("\xE2\xC2", 0xB3));
  CHECK(mid_character("\xB3\xC2\n\xC2", 0xB3));
  CHECK(mid_character("\xC2\n\xC2", 0xB3));  // the newline ends the line, not the character
}

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
  CHECK(as_utf8("") == "");
  CHECK(as_utf8("gr\xC3\xBC\xC3\x9F"
                "e\n\t") ==
        "gr\xC3\xBC\xC3\x9F"
        "e\n\t");
  CHECK(as_utf8("a\0b\xFF\xC3"s) == "a\\x00b\\xFF\\xC3");
  CHECK(as_utf8("\xED\xA0\x80") == "\\xED\\xA0\\x80");
}
