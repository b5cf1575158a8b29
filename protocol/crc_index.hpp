// CRC-32 of many overlapping ranges of one stream, each in time that does not depend on its length.
#pragma once

#include <cstdint>
#include <vector>

#include "protocol/receive_buffer.hpp"

namespace hearth::protocol {

// Remembers the CRC from some origin to every block's end. Memory: at most 256 KiB. Over a stream,
// all calls together read each byte a constant number of times for the index, and each call reads
// at most two blocks. Ranges must be asked for with rising begins and be shorter than 2^24.
class CrcIndex {
 public:
  [[nodiscard]] std::uint32_t crc_of(const ReceiveBuffer& buffer, std::uint64_t from,
                                     std::uint64_t to);

 private:
  static constexpr std::uint64_t block = ReceiveBuffer::history;
  static constexpr std::uint64_t longest_reach =
      std::uint64_t{16} * 1024 * 1024;  // from the origin to a range's begin

  [[nodiscard]] bool covers(const ReceiveBuffer& buffer, std::uint64_t from) const;
  [[nodiscard]] std::uint32_t crc_until(const ReceiveBuffer& buffer, std::uint64_t position);

  std::uint64_t m_origin = 0;
  std::vector<std::uint32_t> m_crcs;  // [n]: from m_origin to m_origin + n * block
};

}  // namespace hearth::protocol
