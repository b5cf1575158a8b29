#include "shim/packet_boundaries.hpp"

#include <algorithm>

#include "protocol/subunit_v2_wire.hpp"

namespace hearth::shim {
namespace wire = protocol::wire;
namespace {

// `low`: the lower byte of the flags.
bool says_only_begun(std::uint8_t low) {
  constexpr unsigned file = wire::flag_file_content | wire::flag_mime_type | wire::flag_eof;
  return (low & (file | wire::status_mask)) ==
         static_cast<unsigned>(protocol::TestStatus::inprogress);
}

}  // namespace

PacketBoundaries::Taken PacketBoundaries::take(protocol::ByteView bytes) {
  std::size_t at = 0;
  std::size_t header = 0;  // where it begins, as far as it is in `bytes`
  std::size_t first_boundary = 0;
  bool only_begun = true;
  while (at < bytes.size()) {
    if (m_missing > 0) {
      const std::size_t size = std::min(m_missing, bytes.size() - at);
      skip(size);
      at += size;
      if (m_missing == 0 && first_boundary == 0) first_boundary = at;
      continue;
    }
    if (m_header_size == 0) header = at;
    m_header[m_header_size++] = bytes[at];
    switch (judge()) {
      case Verdict::more:
        break;
      case Verdict::packet:
        m_header_size = 0;
        only_begun = only_begun && says_only_begun(wire::load_u8(&m_header[2]));
        break;
      case Verdict::damage:
        return {header, first_boundary, false};
    }
    ++at;
    ++m_since;
  }
  return {at, first_boundary, only_begun};
}

void PacketBoundaries::skip(std::size_t size) {
  m_missing -= size;
  m_since = m_missing == 0 ? 0 : m_since + size;
}

PacketBoundaries::Verdict PacketBoundaries::judge() {
  if (m_header[0] != wire::signature) return Verdict::damage;
  if (m_header_size > 1 && wire::load_u8(&m_header[1]) >> 4 != wire::version)
    return Verdict::damage;
  if (m_header_size > 2 && (wire::load_u8(&m_header[2]) & wire::flag_reserved) != 0)
    return Verdict::damage;
  if (m_header_size < 4) return Verdict::more;
  const std::size_t number = wire::number_size_from(&m_header[3]);
  if (number > 3) return Verdict::damage;
  const std::size_t header_size = 3 + number;
  if (m_header_size < header_size) return Verdict::more;
  const std::size_t length = wire::load_number(&m_header[3], number);
  if (length < header_size + wire::crc_size) return Verdict::damage;
  m_missing = length - header_size;
  return Verdict::packet;
}

}  // namespace hearth::shim
