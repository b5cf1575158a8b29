// The constants and numbers of subunit v2 packets, for the encoder and the decoder.
// spec/subunit-v2.md.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hearth::protocol::wire {

inline constexpr std::byte signature{0xB3};
inline constexpr unsigned version = 0x2;  // the flags' top four bits
inline constexpr std::size_t crc_size = 4;

enum Flag : unsigned {
  flag_test_id = 0x0800,
  flag_route_code = 0x0400,
  flag_timestamp = 0x0200,
  flag_runnable = 0x0100,
  flag_tags = 0x0080,
  flag_file_content = 0x0040,
  flag_mime_type = 0x0020,
  flag_eof = 0x0010,
  flag_reserved = 0x0008,
  status_mask = 0x0007,
};

inline unsigned load_u8(const std::byte* at) {
  return std::to_integer<unsigned>(*at);
}
inline std::uint32_t load_u16(const std::byte* at) {
  return load_u8(at) << 8 | load_u8(at + 1);
}
inline std::uint32_t load_u32(const std::byte* at) {
  return load_u16(at) << 16 | load_u16(at + 2);
}

// Numbers take one to four bytes; the top two bits of the first say how many (spec, "Numbers").
inline constexpr std::uint32_t max_number = 0x3FFFFFFF;
inline std::size_t number_size_from(const std::byte* at) {
  return (load_u8(at) >> 6) + 1;
}
inline std::uint32_t load_number(const std::byte* at, std::size_t size) {
  switch (size) {
    case 1:
      return load_u8(at);
    case 2:
      return load_u16(at) & 0x3FFF;
    case 3:
      return (load_u16(at) & 0x3FFF) << 8 | load_u8(at + 2);
    default:
      return load_u32(at) & max_number;
  }
}
constexpr std::size_t size_of_number(std::size_t value) {
  return value < 0x40 ? 1 : value < 0x4000 ? 2 : value < 0x400000 ? 3 : 4;
}

inline std::byte* store_u8(std::byte* at, std::uint32_t value) {
  *at = static_cast<std::byte>(value);
  return at + 1;
}
inline std::byte* store_u16(std::byte* at, std::uint32_t value) {
  return store_u8(store_u8(at, value >> 8), value);
}
inline std::byte* store_u32(std::byte* at, std::uint32_t value) {
  return store_u16(store_u16(at, value >> 16), value);
}
// `value` is at most max_number.
inline std::byte* store_number(std::byte* at, std::uint32_t value) {
  switch (size_of_number(value)) {
    case 1:
      return store_u8(at, value);
    case 2:
      return store_u16(at, value | 0x4000);
    case 3:
      return store_u16(store_u8(at, value >> 16 | 0x80), value);
    default:
      return store_u32(at, value | 0xC0000000);
  }
}

}  // namespace hearth::protocol::wire
