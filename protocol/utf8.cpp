#include "protocol/utf8.hpp"

#include <cstring>

namespace hearth::protocol {
namespace {

using Byte = unsigned char;

constexpr char hex_digits[] = "0123456789ABCDEF";

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

int character_length(const Byte* at, const Byte* end) {
  const Lead lead = lead_of(*at);
  for (int index = 1; index < lead.size; ++index) {
    if (at + index == end) return -1;
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
    const int size = character_length(at, end);
    if (size <= 0) return StringFault::not_utf8;
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

int character_length(std::string_view bytes) {
  const auto* const at = reinterpret_cast<const Byte*>(bytes.data());
  return character_length(at, at + bytes.size());
}

Utf8Scan scan_utf8(std::string_view bytes) {
  std::size_t valid = 0;
  while (valid < bytes.size()) {
    if (static_cast<unsigned char>(bytes[valid]) < 0x80) {
      ++valid;
      continue;
    }
    const int length = character_length(bytes.substr(valid));
    if (length <= 0) return {valid, length < 0};
    valid += static_cast<std::size_t>(length);
  }
  return {valid, false};
}

std::string as_utf8(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const int length = bytes[0] == '\0' ? 0 : character_length(bytes);
    if (length > 0) {
      text += bytes.substr(0, static_cast<std::size_t>(length));
      bytes.remove_prefix(static_cast<std::size_t>(length));
    } else {
      const auto byte = static_cast<unsigned char>(bytes[0]);
      text += {'\\', 'x', hex_digits[byte >> 4], hex_digits[byte & 15]};
      bytes.remove_prefix(1);
    }
  }
  return text;
}

void CharacterTracker::put(std::span<const std::byte> text) {
  const void* const newline = text.empty() ? nullptr : memrchr(text.data(), '\n', text.size());
  if (newline != nullptr) {
    reset();
    text = text.subspan(
        static_cast<std::size_t>(static_cast<const std::byte*>(newline) - text.data()));
  }
  for (std::byte byte : text) {
    if (!m_line_is_utf8) return;
    put(std::to_integer<Byte>(byte));
  }
}

void CharacterTracker::put(Byte byte) {
  if (m_missing > 0) {
    m_line_is_utf8 = byte >= m_least && byte <= m_most;
    --m_missing;
    m_least = 0x80;
    m_most = 0xBF;
    return;
  }
  const Lead lead = lead_of(byte);
  m_line_is_utf8 = lead.size != 0;
  m_missing = lead.size - 1;
  m_least = lead.second_min;
  m_most = lead.second_max;
}

bool CharacterTracker::continues_with(std::byte next) const {
  const auto byte = std::to_integer<Byte>(next);
  return m_line_is_utf8 && m_missing > 0 && byte >= m_least && byte <= m_most;
}

}  // namespace hearth::protocol
