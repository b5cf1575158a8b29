// CRC-32 as subunit v2 has it (ISO-HDLC: zlib's, gzip's, Python's zlib.crc32). By ISA-L, with
// carry-less multiplication (crc32_isal.cpp); in static executables by zlib (crc32_zlib.cpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hearth::protocol {

// The CRC of the bytes that gave `before` followed by `bytes`.
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t before = 0);

// The CRC of `ab` without `a`, from the CRCs of `ab` and `a`, where `b` is the `size_b` last bytes
// of `ab` (size_b < 2^24). Its time does not depend on size_b.
[[nodiscard]] std::uint32_t crc32_of_suffix(std::uint32_t crc_ab, std::uint32_t crc_a,
                                            std::size_t size_b);

}  // namespace hearth::protocol
