#include "protocol/receive_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace hearth::protocol {
namespace {
constexpr std::size_t smallest_capacity = std::size_t{64} * 1024;
}

void ReceiveBuffer::move_to(std::byte* target, std::size_t dropped) {
  if (m_size != dropped) std::memmove(target, m_data.get() + dropped, m_size - dropped);
  m_begin -= dropped;
  m_size -= dropped;
  m_base += dropped;
}

std::span<std::byte> ReceiveBuffer::prepare(std::size_t size) {
  if (m_capacity - m_size < size) {
    const std::size_t dropped = m_begin - std::min(m_begin, history);
    const std::size_t kept = m_size - dropped;
    if (dropped >= kept && m_capacity - kept >= size) {
      move_to(m_data.get(), dropped);
    } else {
      const std::size_t capacity = std::max(smallest_capacity, 2 * kept + size);
      std::unique_ptr<std::byte[]> grown(new std::byte[capacity]);  // uninitialised on purpose
      move_to(grown.get(), dropped);
      m_data = std::move(grown);
      m_capacity = capacity;
    }
  }
  return {m_data.get() + m_size, m_capacity - m_size};
}

}  // namespace hearth::protocol
