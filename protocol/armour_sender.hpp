// The frames of one direction on their way out: what waits, what is under way, what must be sent
// again. spec/tunnel.md, section 6. Holds at most a window of frames and max_queued bytes.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <chrono>
#include <deque>

#include "protocol/armour_frame.hpp"

namespace hearth::protocol::armour {

using Time = std::chrono::milliseconds;  // since any moment; told by the owner

class Sender {
 public:
  static constexpr std::size_t max_queued = std::size_t{64} * 1024;  // bytes not yet in a frame
  static constexpr Time first_timeout{1000};
  static constexpr Time shortest_timeout{200};
  static constexpr Time longest_timeout{2000};  // some fifteen attempts within a deadline

  // What the two ends have agreed on.
  void start(std::size_t window, std::size_t payload, std::uint32_t limit);

  // Takes as many of the bytes as there is room for and says how many; 0 once the channel or the
  // stream has been ended.
  std::size_t send(std::uint8_t channel, ByteView bytes);
  void end_channel(std::uint8_t channel);
  void end_stream();
  [[nodiscard]] std::size_t room() const { return max_queued - m_queued; }

  // The next frame to be sent, now: one that was lost, or a new one. Its side, ack and credit are
  // the caller's to fill in. The payload is valid until the next call of a function of this class.
  [[nodiscard]] std::optional<Frame> next(Time now);

  // What the other end says it has: everything before `ack` and what the bitmap names. False if
  // that cannot be.
  [[nodiscard]] bool acknowledge(const Frame& frame, Time now);

  // The console takes bytes: on a slow one, only from here on can an acknowledgement be late.
  void written(Time now) { m_timer = std::max(m_timer, now); }

  // If nothing was acknowledged for too long, what is under way is sent again: one frame, and two
  // more for each that arrives.
  void tick(Time now);
  [[nodiscard]] std::optional<Time> next_tick() const;

  // Since when nothing has been acknowledged, while something is under way.
  [[nodiscard]] std::optional<Time> stuck_since() const;
  [[nodiscard]] bool stream_ended() const { return m_stream_ended; }
  [[nodiscard]] bool all_acknowledged() const { return m_queue.empty() && m_first == m_next; }
  // Is the stream's end all that is not acknowledged?
  [[nodiscard]] bool only_end_open() const;
  [[nodiscard]] std::uint64_t resent() const { return m_resent; }

 private:
  struct Item {
    Kind kind;
    std::uint8_t channel;
    Bytes bytes;
    std::size_t taken = 0;
  };
  struct Slot {
    Kind kind = Kind::data;
    std::uint8_t channel = 0;
    Bytes payload;
    Time sent_at{0};
    std::uint64_t first_turn = 0;  // turns count everything sent, new or again
    std::uint64_t last_turn = 0;
    bool again = false;  // has it been sent more than once?
    bool lost = false;
    bool acknowledged = false;
  };
  static constexpr std::size_t slots = 256;
  static constexpr std::size_t full_allowance = 2 * slots;

  [[nodiscard]] Slot& slot(std::uint32_t seq) { return m_slots[seq % slots]; }
  [[nodiscard]] Frame frame_of(std::uint32_t seq);
  [[nodiscard]] std::optional<Frame> resend(Time now);
  [[nodiscard]] std::optional<Frame> send_new(Time now);
  void fill(Slot& slot);
  void mark_acknowledged(std::uint32_t seq, Time now);
  void mark_lost();
  void measure(Time round_trip);

  std::size_t m_window = max_window;
  std::size_t m_payload = payload_of_line(shortest_line);
  std::deque<Item> m_queue;
  std::size_t m_queued = 0;
  std::bitset<256> m_ended;
  bool m_stream_ended = false;

  std::array<Slot, slots> m_slots;
  std::uint32_t m_first = 0;  // the first not acknowledged
  std::uint32_t m_next = 0;   // the first not sent
  std::uint32_t m_limit = 0;  // the first that may not be sent
  std::size_t m_lost = 0;
  std::size_t m_allowance = full_allowance;  // lost frames that may be sent again
  std::uint64_t m_turn = 0;
  std::uint64_t m_seen_turn = 0;  // the latest turn known to have arrived
  std::uint64_t m_resent = 0;

  Time m_timer{0};                  // the last progress or repetition
  Time m_progress{0};               // the last progress
  Time m_timeout = first_timeout;   // doubled with every repetition
  Time m_measured = first_timeout;  // what it is after progress
  Time m_smooth{-1};                // of round trips; -1: none measured
  Time m_variation{0};
};

}  // namespace hearth::protocol::armour
