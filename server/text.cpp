#include "server/text.hpp"

#include <cstdint>

namespace hearth::server {
namespace {

constexpr char hex_digits[] = "0123456789ABCDEF";

// The length of the well-formed character at the front; 0: none; -1: cut off.
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

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

// Bytes at the front of the name that are one character and are written as %XX; 0: the character is written as it is.
std::size_t escaped_length(std::string_view name, int length) {
  const auto byte = static_cast<unsigned char>(name[0]);
  if (length <= 0 || byte < 0x20 || byte == 0x7F) return 1;
  if (byte == 0xC2 && static_cast<unsigned char>(name[1]) < 0xA0) return 2;  // U+0080 to U+009F
  return byte == '%' && name.size() > 2 && is_hex_digit(name[1]) && is_hex_digit(name[2]) ? 1 : 0;
}

}  // namespace

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

std::string make_test_id(std::string_view program, std::string_view name) {
  std::string id(program);
  id += '.';
  while (!name.empty()) {
    const int length = character_length(name);
    const std::size_t escaped = escaped_length(name, length);
    const std::size_t taken = escaped != 0 ? escaped : static_cast<std::size_t>(length);
    for (const char c : name.substr(0, taken)) {
      const auto byte = static_cast<unsigned char>(c);
      if (escaped != 0) {
        id += {'%', hex_digits[byte >> 4], hex_digits[byte & 15]};
      } else {
        id += c;
      }
    }
    name.remove_prefix(taken);
  }
  return id;
}

}  // namespace hearth::server
