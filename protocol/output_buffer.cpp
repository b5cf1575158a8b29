#include "protocol/output_buffer.hpp"

#include <algorithm>

namespace hearth::protocol {
namespace {

constexpr std::size_t compact_above =
    std::size_t{64} * 1024;  // bytes consumed before the rest is moved
constexpr std::size_t keep_capacity =
    std::size_t{1024} * 1024;  // bytes kept allocated while nothing is queued

// Length of the packet at the front of `bytes`, from its header. spec/subunit-v2.md, "Numbers".
std::size_t packet_length(ByteView bytes) {
  constexpr std::size_t length_at = 3;
  const auto first = std::to_integer<std::size_t>(bytes[length_at]);
  const auto more = first >> 6;
  std::size_t length = first & 0x3f;
  for (std::size_t i = 1; i <= more; ++i)
    length = length << 8 | std::to_integer<std::size_t>(bytes[length_at + i]);
  return length;
}

}  // namespace

void OutputBuffer::consume(std::size_t size) {
  m_begin += std::min(size, m_bytes.size() - m_begin);
  if (m_begin == m_bytes.size()) {
    m_begin = m_packet = 0;
    m_bytes.clear();
    if (m_bytes.capacity() > keep_capacity) m_bytes.shrink_to_fit();
    return;
  }
  advance_packet();
  if (m_packet < compact_above || m_packet < m_bytes.size() / 2) return;
  m_bytes.erase(m_bytes.begin(), m_bytes.begin() + static_cast<std::ptrdiff_t>(m_packet));
  m_begin -= m_packet;
  m_packet = 0;
}

void OutputBuffer::drop_unstarted() {
  if (m_packet == m_begin) {
    m_bytes.resize(m_begin);
  } else {
    m_bytes.resize(m_packet + packet_length(ByteView(m_bytes).subspan(m_packet)));
  }
}

void OutputBuffer::advance_packet() {
  while (m_packet < m_begin) {
    const auto end = m_packet + packet_length(ByteView(m_bytes).subspan(m_packet));
    if (end > m_begin) return;
    m_packet = end;
  }
}

}  // namespace hearth::protocol
