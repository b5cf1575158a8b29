#include "protocol/utf8_scan.hpp"

namespace hearth::protocol {
namespace {

constexpr char hex_digits[] = "0123456789ABCDEF";

}  // namespace

int character_length(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  const int length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  for (int i = 1; i < length; ++i) {
    if (static_cast<std::size_t>(i) >= bytes.size()) return -1;
    unsigned char low = 0x80;
    unsigned char high = 0xBF;
    if (i == 1 && first == 0xE0) low = 0xA0;
    if (i == 1 && first == 0xED) high = 0x9F;
    if (i == 1 && first == 0xF0) low = 0x90;
    if (i == 1 && first == 0xF4) high = 0x8F;
    if (at(static_cast<std::size_t>(i)) < low || at(static_cast<std::size_t>(i)) > high) return 0;
  }
  return length;
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

std::string as_text(std::string_view bytes) {
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

}  // namespace hearth::protocol
