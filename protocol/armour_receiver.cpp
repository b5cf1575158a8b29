#include "protocol/armour_receiver.hpp"

namespace hearth::protocol::armour {

void Receiver::accept(const Frame& frame) {
  if (m_stream_ended || frame.seq - m_missing >= credit()) return;
  Slot& slot = m_slots[frame.seq % slots];
  if (slot.filled) return;
  slot.filled = true;
  slot.item.kind = frame.kind;
  slot.item.channel = frame.channel;
  slot.item.payload.assign(frame.payload.begin(), frame.payload.end());
  if (frame.seq - m_missing >= m_highest - m_missing) m_highest = frame.seq + 1;
  while (!m_stream_ended && m_missing != m_highest && m_slots[m_missing % slots].filled) {
    m_stream_ended = m_slots[m_missing % slots].item.kind == Kind::stream_end;
    ++m_missing;
  }
}

const Receiver::Item* Receiver::next() {
  if (m_next == m_missing) return nullptr;
  Slot& slot = m_slots[m_next++ % slots];
  slot.filled = false;
  return &slot.item;
}

void Receiver::append_bitmap(Bytes& out) const {
  if (!has_gap()) return;
  const std::uint32_t count = m_highest - m_missing - 1;
  const std::size_t from = out.size();
  out.resize(from + (count + 7) / 8);
  for (std::uint32_t i = 0; i < count; ++i) {
    if (m_slots[(m_missing + 1 + i) % slots].filled)
      out[from + i / 8] |= static_cast<std::byte>(1u << i % 8);
  }
}

}  // namespace hearth::protocol::armour
