#include "tunnel/local_end.hpp"

#include <algorithm>

namespace hearth::tunnel {
namespace {

// Bytes that wait in the armour at most: what is said on one channel is not to wait behind much of
// another's, and a slow console has enough of its own.
constexpr std::size_t enough_queued = std::size_t{16} * 1024;

std::size_t queued_in(const ConsoleArmour& armour) {
  return protocol::armour::Sender::max_queued - armour.room();
}

}  // namespace

bool LocalEnd::has_room(const ConsoleArmour& armour) {
  return queued_in(armour) < enough_queued;
}

LocalEnd::LocalEnd(std::uint8_t channel, StreamFd source, StreamFd sink, bool both_ways)
    : m_channel(channel),
      m_source(std::move(source)),
      m_sink(std::move(sink)),
      m_both_ways(both_ways),
      m_reading(static_cast<bool>(m_source)),
      m_dropping(!this->sink()) {}

ByteView LocalEnd::read(ConsoleArmour& armour, std::span<std::byte> buffer) {
  if (!m_reading || !has_room(armour)) return {};
  const std::size_t wanted = std::min(buffer.size(), enough_queued - queued_in(armour));
  const auto got = m_source.read(buffer.first(wanted));
  armour.send(m_channel, buffer.first(got.size));
  if (got.over || (m_rest_only && got.size == 0)) stop_reading(armour);
  return buffer.first(got.size);
}

void LocalEnd::stop_reading(ConsoleArmour& armour) {
  m_reading = false;
  armour.end_channel(m_channel);
  if (!m_both_ways) m_source.reset();
}

void LocalEnd::take(ByteView bytes, Time now) {
  if (m_dropping) return;
  if (!writes()) m_progress = now;
  m_waiting.insert(m_waiting.end(), bytes.begin(), bytes.end());
}

void LocalEnd::take_end() {
  m_ended = true;
  if (!writes()) close_sink();
}

void LocalEnd::write(Time now) {
  while (writes()) {
    const auto sent = sink().write(std::span(m_waiting).subspan(m_written));
    if (sent.over) return drop();
    if (sent.size == 0) break;
    m_written += sent.size;
    m_progress = now;
  }
  if (!writes()) {
    m_waiting.clear();
    m_written = 0;
    if (m_ended) close_sink();
  } else if (m_written >= max_waiting / 2) {
    m_waiting.erase(m_waiting.begin(), m_waiting.begin() + static_cast<std::ptrdiff_t>(m_written));
    m_written = 0;
  }
}

void LocalEnd::close_sink() {
  if (!m_closed && sink()) sink().end_writing();
  m_closed = true;
}

std::optional<Time> LocalEnd::stuck_since() const {
  return writes() ? std::optional(m_progress) : std::nullopt;
}

void LocalEnd::drop() {
  m_dropping = true;
  m_waiting.clear();
  m_written = 0;
  close_sink();
}

}  // namespace hearth::tunnel
