#include "protocol/crc_index.hpp"

#include "protocol/crc32.hpp"

namespace hearth::protocol {

std::uint32_t CrcIndex::crc_of(const ReceiveBuffer& buffer, std::uint64_t from, std::uint64_t to) {
  if (!covers(buffer, from)) {
    m_origin = from;
    m_crcs.assign(1, 0);
  }
  const std::uint32_t until_from = crc_until(buffer, from);
  return crc32_of_suffix(crc_until(buffer, to), until_from, static_cast<std::size_t>(to - from));
}

bool CrcIndex::covers(const ReceiveBuffer& buffer, std::uint64_t from) const {
  if (m_crcs.empty() || from < m_origin || from - m_origin > longest_reach) return false;
  const std::uint64_t indexed_end = m_origin + (m_crcs.size() - 1) * block;
  return indexed_end >= buffer.first_readable();
}

std::uint32_t CrcIndex::crc_until(const ReceiveBuffer& buffer, std::uint64_t position) {
  const std::size_t wanted = static_cast<std::size_t>((position - m_origin) / block);
  while (m_crcs.size() <= wanted) {
    const std::uint64_t begin = m_origin + (m_crcs.size() - 1) * block;
    m_crcs.push_back(crc32(buffer.bytes(begin, begin + block), m_crcs.back()));
  }
  return crc32(buffer.bytes(m_origin + wanted * block, position), m_crcs[wanted]);
}

}  // namespace hearth::protocol
