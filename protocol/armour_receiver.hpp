// The frames of one direction, put into order: what came, what is missing, how much more may come.
// spec/tunnel.md, section 6. Holds at most a window of frames.
#pragma once

#include <array>

#include "protocol/armour_frame.hpp"

namespace hearth::protocol::armour {

class Receiver {
 public:
  struct Item {
    Kind kind = Kind::data;
    std::uint8_t channel = 0;
    Bytes payload;
  };

  explicit Receiver(std::size_t window) : m_window(static_cast<std::uint32_t>(window)) {}

  // Takes a sequenced frame. Doubles, and frames beyond the credit, change nothing.
  void accept(const Frame& frame);

  // The oldest frame that is in order and not yet handed out; nullptr if there is none. Valid until
  // the next call of accept().
  [[nodiscard]] const Item* next();

  [[nodiscard]] std::uint32_t ack() const { return m_missing; }
  [[nodiscard]] std::uint8_t credit() const {
    return static_cast<std::uint8_t>(m_window - (m_missing - m_next));
  }
  // Which frames behind ack() have come: bit i of the bitmap is ack() + 1 + i. Empty if none has.
  void append_bitmap(Bytes& out) const;
  [[nodiscard]] bool has_gap() const { return m_highest != m_missing; }
  // Has the stream's last frame come, and all before it?
  [[nodiscard]] bool stream_ended() const { return m_stream_ended; }

 private:
  struct Slot {
    bool filled = false;
    Item item;
  };
  static constexpr std::size_t slots = 256;  // above every window: a number has its own slot

  std::array<Slot, slots> m_slots;
  std::uint32_t m_window;
  std::uint32_t m_next = 0;     // the next to be handed out
  std::uint32_t m_missing = 0;  // the first that has not come
  std::uint32_t m_highest = 0;  // behind the last that has come
  bool m_stream_ended = false;
};

}  // namespace hearth::protocol::armour
