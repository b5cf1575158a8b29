// UTF-8 (RFC 3629: no surrogates, no overlong forms): what subunit v2 asks of its strings, where
// the characters of a text end, and what is made of bytes that are none. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hearth::protocol {

enum class StringFault : std::uint8_t { none, nul, not_utf8 };

// The fault that comes first. Same verdict as Python's strict decoder for every input.
[[nodiscard]] StringFault check_string(std::string_view text);

// The length of the well-formed character at the front; 0: none; -1: cut off.
[[nodiscard]] int character_length(std::string_view bytes);

struct Utf8Scan {
  std::size_t valid;    // bytes of the longest prefix of whole, well-formed characters
  bool may_be_cut_off;  // what follows it may be the beginning of one more
};
[[nodiscard]] Utf8Scan scan_utf8(std::string_view bytes);

// The text with every byte that is no UTF-8, and every NUL, written as \xNN.
[[nodiscard]] std::string as_utf8(std::string_view bytes);

// Follows text byte by byte, to tell where in it a packet can begin: at character boundaries as
// long as the line is UTF-8, and anywhere once it is not (spec/subunit-v2.md, [SUB2-5.2]).
class CharacterTracker {
 public:
  void reset() { *this = CharacterTracker(); }
  void put(std::span<const std::byte> text);
  // True when `next` belongs to the character that the text before it began.
  [[nodiscard]] bool continues_with(std::byte next) const;

 private:
  void put(unsigned char byte);

  bool m_line_is_utf8 = true;
  int m_missing = 0;          // bytes of the character begun that have not come yet
  unsigned char m_least = 0;  // bounds of the next of them
  unsigned char m_most = 0;
};

}  // namespace hearth::protocol
