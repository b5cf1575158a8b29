// The local end of one channel of a console: what is read from `source` goes out, what comes in
// waits here until `sink` takes it. spec/tunnel.md, section 1.
#pragma once

#include <chrono>
#include <optional>

#include "protocol/console_armour.hpp"
#include "tunnel/stream_fd.hpp"

namespace hearth::tunnel {

using protocol::Bytes;
using protocol::ByteView;
using protocol::armour::ConsoleArmour;
using protocol::armour::Time;

class LocalEnd {
 public:
  static constexpr std::size_t max_waiting = std::size_t{256} * 1024;  // bytes, and one frame

  // Either may be empty: that direction has ended here, and what comes in is dropped. Both may be
  // the same socket: then `sink` is empty and `source` serves for both.
  LocalEnd(std::uint8_t channel, StreamFd source, StreamFd sink, bool both_ways);

  // ---- outwards: as long as the armour has room. What was read; a view of `buffer`.
  ByteView read(ConsoleArmour& armour, std::span<std::byte> buffer);
  [[nodiscard]] static bool has_room(const ConsoleArmour& armour);
  [[nodiscard]] bool reads() const { return m_reading; }
  // The source has said all: it ends when what is there by now has been read.
  void read_rest_only() { m_rest_only = true; }

  // ---- inwards
  void take(ByteView bytes, Time now);
  // No more comes in; the sink is closed when it has taken what waits.
  void take_end();
  void write(Time now);
  [[nodiscard]] bool writes() const { return m_written < m_waiting.size(); }
  [[nodiscard]] bool is_full() const { return m_waiting.size() - m_written >= max_waiting; }
  // Since when the sink has taken nothing, while something waits.
  [[nodiscard]] std::optional<Time> stuck_since() const;
  // What waits and what will come is dropped.
  void drop();

  // Both directions are over.
  [[nodiscard]] bool is_over() const { return !m_reading && m_ended && !writes(); }
  [[nodiscard]] int source_fd() const { return m_source.get(); }
  [[nodiscard]] int sink_fd() const { return sink().get(); }

 private:
  [[nodiscard]] StreamFd& sink() { return m_both_ways ? m_source : m_sink; }
  [[nodiscard]] const StreamFd& sink() const { return m_both_ways ? m_source : m_sink; }
  void stop_reading(ConsoleArmour& armour);
  void close_sink();

  std::uint8_t m_channel;
  StreamFd m_source;
  StreamFd m_sink;
  bool m_both_ways;
  bool m_reading;
  bool m_rest_only = false;
  bool m_dropping;
  bool m_ended = false;   // the peer's direction
  bool m_closed = false;  // the sink
  Bytes m_waiting;
  std::size_t m_written = 0;
  Time m_progress{0};
};

}  // namespace hearth::tunnel
