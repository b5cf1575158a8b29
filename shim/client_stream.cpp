#include "shim/client_stream.hpp"

#include <algorithm>
#include <cstring>

namespace hearth::shim {

std::span<std::byte> ClientStream::prepare(std::size_t size) {
  reserve(size);
  return {m_data.get() + m_end, size};
}

bool ClientStream::commit(std::size_t size) {
  const protocol::ByteView bytes(m_data.get() + m_end, size);
  const std::size_t begin = m_end;
  const bool began_at_boundary = at_boundary();
  const PacketBoundaries::Taken taken = m_boundaries.take(bytes);
  m_end += taken.size;
  m_only_begun = m_only_begun && began_at_boundary && taken.only_begun;
  if (began_at_boundary) {
    m_first = begin;
  } else if (taken.first_boundary > 0) {
    m_first = begin + taken.first_boundary;
  }
  m_rejected = bytes.subspan(taken.size);
  if (!m_rejected.empty()) {
    cut_off();
    return false;
  }
  // The one before counts no more when bytes since have left already.
  const std::size_t since = m_boundaries.since_boundary();
  if (since <= m_end - m_begin) m_last = m_end - since;
  return true;
}

void ClientStream::cut_off() {
  m_boundaries = {};
  m_last = m_end;
}

void ClientStream::insert(protocol::ByteView packets) {
  put(m_first >= m_begin ? m_first : m_last, packets);
}

void ClientStream::append(protocol::ByteView packets) {
  if (packets.empty()) return;
  m_only_begun = false;
  reserve(packets.size());
  std::memcpy(m_data.get() + m_end, packets.data(), packets.size());
  m_end += packets.size();
  m_last = m_end;
}

void ClientStream::put(std::size_t position, protocol::ByteView bytes) {
  if (bytes.empty()) return;
  m_only_begun = false;
  const std::size_t behind = m_end - position;
  const std::size_t behind_last = m_end - m_last;
  reserve(bytes.size());
  std::byte* const at = m_data.get() + (m_end - behind);
  std::memmove(at + bytes.size(), at, behind);
  std::memcpy(at, bytes.data(), bytes.size());
  m_end += bytes.size();
  m_first = m_end - behind;
  m_last = m_end - std::min(behind, behind_last);
}

void ClientStream::consume(std::size_t size) {
  m_begin += size;
  if (m_begin < m_end) return;
  m_begin = m_end = 1;
  m_only_begun = true;
  forget_boundaries();
}

void ClientStream::bypassed(std::size_t size) {
  m_boundaries.skip(size);
  forget_boundaries();
}

// The buffer is empty.
void ClientStream::forget_boundaries() {
  m_first = none;
  m_last = at_boundary() ? m_begin : none;
}

// `size` bytes behind the end: by moving what is there to the front, or into a larger buffer.
void ClientStream::reserve(std::size_t size) {
  if (m_data && m_capacity - m_end >= size) return;
  const std::size_t used = m_end - m_begin;
  std::unique_ptr<std::byte[]> larger;
  if (!m_data || m_capacity < 1 + used + size) {
    m_capacity = std::max(2 * m_capacity, 1 + used + size);
    larger.reset(new std::byte[m_capacity]);
  }
  std::byte* const target = larger ? larger.get() : m_data.get();
  if (used > 0) std::memmove(target + 1, m_data.get() + m_begin, used);
  m_first = m_first >= m_begin ? m_first - m_begin + 1 : none;
  m_last = m_last >= m_begin ? m_last - m_begin + 1 : none;
  m_begin = 1;
  m_end = 1 + used;
  if (larger) m_data = std::move(larger);
}

}  // namespace hearth::shim
