#include "protocol/utf8.hpp"

#include <cstring>

namespace hearth::protocol {
namespace {

using Byte = unsigned char;

// How the second byte of a sequence is bounded by its first, and how long the sequence is
// (RFC 3629, section 4). size 0: no sequence begins with that byte.
struct Lead {
  int size;
  Byte second_min;
  Byte second_max;
};

Lead lead_of(Byte first) {
  if (first < 0x80) return {1, 0, 0};
  if (first < 0xC2) return {0, 0, 0};
  if (first < 0xE0) return {2, 0x80, 0xBF};
  if (first == 0xE0) return {3, 0xA0, 0xBF};
  if (first == 0xED) return {3, 0x80, 0x9F};
  if (first < 0xF0) return {3, 0x80, 0xBF};
  if (first == 0xF0) return {4, 0x90, 0xBF};
  if (first < 0xF4) return {4, 0x80, 0xBF};
  if (first == 0xF4) return {4, 0x80, 0x8F};
  return {0, 0, 0};
}

bool continues(const Lead& lead, int index, Byte byte) {
  return index == 1 ? byte >= lead.second_min && byte <= lead.second_max : (byte & 0xC0) == 0x80;
}

// The bytes of the sequence at `at`; 0 where there is none.
int sequence_size(const Byte* at, const Byte* end) {
  const Lead lead = lead_of(*at);
  if (lead.size == 0 || end - at < lead.size) return 0;
  for (int index = 1; index < lead.size; ++index) {
    if (!continues(lead, index, at[index])) return 0;
  }
  return lead.size;
}

template <typename Word>
bool all_ascii_without_nul(const Byte* at) {
  constexpr Word ones = static_cast<Word>(~Word{0}) / 0xFF;
  Word word;
  std::memcpy(&word, at, sizeof word);
  return ((word | static_cast<Word>(word - ones)) & (ones << 7)) == 0;
}

StringFault check_slowly(const Byte* at, const Byte* end) {
  while (at != end) {
    if (*at == 0) return StringFault::nul;
    if (end - at >= 8 && all_ascii_without_nul<std::uint64_t>(at)) {
      at += 8;
      continue;
    }
    const int size = sequence_size(at, end);
    if (size == 0) return StringFault::not_utf8;
    at += size;
  }
  return StringFault::none;
}

}  // namespace

StringFault check_string(std::string_view text) {
  const auto* at = reinterpret_cast<const Byte*>(text.data());
  const auto* end = at + text.size();
  // Eight bytes at a time, the last eight overlapping: what nearly every id is.
  if (text.size() < 8) return check_slowly(at, end);
  for (; end - at > 8; at += 8) {
    if (!all_ascii_without_nul<std::uint64_t>(at)) return check_slowly(at, end);
  }
  if (all_ascii_without_nul<std::uint64_t>(end - 8)) return StringFault::none;
  return check_slowly(at, end);
}

bool continues_character(std::span<const std::byte> bytes, std::byte next) {
  const int count = static_cast<int>(bytes.size());
  for (int length = 1; length <= 3 && length <= count; ++length) {
    const auto first = static_cast<Byte>(bytes[static_cast<std::size_t>(count - length)]);
    if ((first & 0xC0) == 0x80) continue;  // not a first byte: look further back
    const Lead lead = lead_of(first);
    if (lead.size <= length) return false;
    for (int index = 1; index < length; ++index) {
      const auto byte = static_cast<Byte>(bytes[static_cast<std::size_t>(count - length + index)]);
      if (!continues(lead, index, byte)) return false;
    }
    return continues(lead, length, static_cast<Byte>(next));
  }
  return false;
}

}  // namespace hearth::protocol
