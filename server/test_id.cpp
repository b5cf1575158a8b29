#include "server/test_id.hpp"

#include <cstdint>

#include "protocol/utf8.hpp"

namespace hearth::server {
namespace {

using protocol::character_length;

constexpr char hex_digits[] = "0123456789ABCDEF";

bool is_hex_digit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f');
}

// Bytes at the front of the name that are one character and are written as %XX; 0: the character is
// written as it is.
std::size_t escaped_length(std::string_view name, int length) {
  const auto byte = static_cast<unsigned char>(name[0]);
  if (length <= 0 || byte < 0x20 || byte == 0x7F) return 1;
  if (byte == 0xC2 && static_cast<unsigned char>(name[1]) < 0xA0) return 2;  // U+0080 to U+009F
  return byte == '%' && name.size() > 2 && is_hex_digit(name[1]) && is_hex_digit(name[2]) ? 1 : 0;
}

}  // namespace

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

bool may_be_of(std::string_view program, std::string_view id) {
  return id.size() > program.size() && id[program.size()] == '.' && id.starts_with(program);
}

}  // namespace hearth::server
