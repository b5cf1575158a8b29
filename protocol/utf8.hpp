// What subunit v2 asks of its strings: UTF-8 (RFC 3629: no surrogates, no overlong forms) without
// NUL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hearth::protocol {

enum class StringFault : std::uint8_t { none, nul, not_utf8 };

// The fault that comes first. Same verdict as Python's strict decoder for every input.
[[nodiscard]] StringFault check_string(std::string_view text);

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
