#include "protocol/armour_sender.hpp"

#include <algorithm>

namespace hearth::protocol::armour {

void Sender::start(std::size_t window, std::size_t payload, std::uint32_t limit) {
  m_window = window;
  m_payload = payload;
  m_limit = limit;
}

std::size_t Sender::send(std::uint8_t channel, ByteView bytes) {
  if (m_stream_ended || m_ended[channel]) return 0;
  const std::size_t taken = std::min(bytes.size(), room());
  if (taken == 0) return 0;
  if (m_queue.empty() || m_queue.back().kind != Kind::data || m_queue.back().channel != channel)
    m_queue.push_back({Kind::data, channel, {}});
  Item& item = m_queue.back();
  Bytes& to = item.bytes;
  if (item.taken >= max_queued) {
    to.erase(to.begin(), to.begin() + static_cast<std::ptrdiff_t>(item.taken));
    item.taken = 0;
  }
  to.insert(to.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(taken));
  m_queued += taken;
  return taken;
}

void Sender::end_channel(std::uint8_t channel) {
  if (m_stream_ended || m_ended[channel]) return;
  m_ended[channel] = true;
  m_queue.push_back({Kind::channel_end, channel, {}});
}

void Sender::end_stream() {
  if (m_stream_ended) return;
  m_stream_ended = true;
  m_queue.push_back({Kind::stream_end, 0, {}});
}

Frame Sender::frame_of(std::uint32_t seq) {
  const Slot& from = slot(seq);
  Frame frame;
  frame.kind = from.kind;
  frame.seq = seq;
  frame.channel = from.channel;
  frame.payload = from.payload;
  return frame;
}

std::optional<Frame> Sender::next(Time now) {
  if (m_lost == 0) return send_new(now);
  if (m_allowance == 0) return std::nullopt;
  --m_allowance;
  return resend(now);
}

std::optional<Frame> Sender::resend(Time now) {
  std::uint32_t seq = m_first;
  while (!slot(seq).lost) ++seq;
  Slot& again = slot(seq);
  again.lost = false;
  --m_lost;
  again.again = true;
  again.sent_at = m_timer = now;
  again.last_turn = ++m_turn;
  ++m_resent;
  return frame_of(seq);
}

std::optional<Frame> Sender::send_new(Time now) {
  const std::uint32_t under_way = m_next - m_first;
  const std::uint32_t allowed = m_limit - m_first;
  if (m_queue.empty() || under_way >= m_window || under_way >= allowed) return std::nullopt;
  if (under_way == 0) m_timer = m_progress = now;
  Slot& fresh = slot(m_next);
  fill(fresh);
  fresh.sent_at = now;
  fresh.first_turn = fresh.last_turn = ++m_turn;
  fresh.again = fresh.lost = fresh.acknowledged = false;
  return frame_of(m_next++);
}

void Sender::fill(Slot& slot) {
  Item& item = m_queue.front();
  slot.kind = item.kind;
  slot.channel = item.channel;
  const std::size_t size = std::min(m_payload, item.bytes.size() - item.taken);
  const auto from = item.bytes.begin() + static_cast<std::ptrdiff_t>(item.taken);
  slot.payload.assign(from, from + static_cast<std::ptrdiff_t>(size));
  item.taken += size;
  m_queued -= size;
  if (item.taken == item.bytes.size()) m_queue.pop_front();
}

bool Sender::acknowledge(const Frame& frame, Time now) {
  const std::uint32_t count = frame.ack - m_first;
  constexpr std::uint32_t half = 0x80000000;
  if (count >= half) return true;  // an old one: a console may repeat itself
  if (count > m_next - m_first) return false;
  const std::uint32_t before = m_first;
  for (; m_first != frame.ack; ++m_first) mark_acknowledged(m_first, now);
  for (std::uint32_t bit = 0; bit < 8 * frame.payload.size() && frame.kind == Kind::ack; ++bit) {
    if ((frame.payload[bit / 8] >> bit % 8 & std::byte{1}) == std::byte{0}) continue;
    if (1 + bit >= m_next - m_first) return false;
    mark_acknowledged(m_first + 1 + bit, now);
  }
  if (m_first != before) {
    m_timer = m_progress = now;
    m_timeout = m_measured;
  }
  const std::uint32_t limit = frame.ack + frame.credit;
  if (limit - m_first > m_limit - m_first) m_limit = limit;
  mark_lost();
  return true;
}

void Sender::mark_acknowledged(std::uint32_t seq, Time now) {
  Slot& arrived = slot(seq);
  if (arrived.acknowledged) return;
  arrived.acknowledged = true;
  if (arrived.lost) --m_lost;
  arrived.lost = false;
  m_allowance = std::min(m_allowance + 2, full_allowance);
  // Which of several copies arrived cannot be told: the first counts, which never calls too much
  // lost.
  m_seen_turn = std::max(m_seen_turn, arrived.first_turn);
  if (!arrived.again) measure(now - arrived.sent_at);
}

// A console keeps the order: what was sent before something that has arrived will not arrive.
void Sender::mark_lost() {
  for (std::uint32_t seq = m_first; seq != m_next; ++seq) {
    Slot& candidate = slot(seq);
    if (candidate.acknowledged || candidate.lost || candidate.last_turn >= m_seen_turn) continue;
    candidate.lost = true;
    ++m_lost;
  }
}

void Sender::measure(Time round_trip) {
  if (m_smooth < Time{0}) {
    m_smooth = round_trip;
    m_variation = round_trip / 2;
  } else {
    const Time error = std::chrono::abs(round_trip - m_smooth);
    m_variation = (3 * m_variation + error) / 4;
    m_smooth = (7 * m_smooth + round_trip) / 8;
  }
  m_measured = std::clamp(m_smooth + 4 * m_variation, shortest_timeout, longest_timeout);
}

void Sender::tick(Time now) {
  const auto due = next_tick();
  if (!due || now < *due) return;
  m_lost = 0;
  for (std::uint32_t seq = m_first; seq != m_next; ++seq) {
    slot(seq).lost = !slot(seq).acknowledged;
    if (slot(seq).lost) ++m_lost;
  }
  m_allowance = 1;
  m_timer = now;
  m_timeout = std::min(2 * m_timeout, longest_timeout);
}

std::optional<Time> Sender::next_tick() const {
  if (m_first == m_next || (m_lost != 0 && m_allowance != 0)) return std::nullopt;
  return m_timer + m_timeout;
}

std::optional<Time> Sender::stuck_since() const {
  if (m_first == m_next) return std::nullopt;
  return m_progress;
}

bool Sender::only_end_open() const {
  return m_stream_ended && m_queue.empty() && m_next - m_first == 1;
}

}  // namespace hearth::protocol::armour
