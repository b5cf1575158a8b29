#include "tunnel/console_link.hpp"

#include <algorithm>
#include <cstring>

namespace hearth::tunnel {
namespace {

constexpr std::size_t piece = std::size_t{16} * 1024;  // bytes read at a time
constexpr std::size_t most_at_once =
    std::size_t{64} * 1024;       // bytes, before others have their turn
constexpr Time last_word{2'000};  // for a console that is stopped to take it

}  // namespace

ConsoleLink::ConsoleLink(StreamFd in, StreamFd out, const armour::Options& options, Owner& owner)
    : m_in(std::move(in)),
      m_out(std::move(out)),
      m_armour(options),
      m_owner(owner),
      m_buffer(piece),
      m_began(options.side == armour::Side::answerer) {}

void ConsoleLink::join(std::uint8_t channel, StreamFd source, StreamFd sink) {
  m_channels.try_emplace(channel, channel, std::move(source), std::move(sink), false);
}

void ConsoleLink::join(std::uint8_t channel, StreamFd both_ways) {
  m_channels.try_emplace(channel, channel, std::move(both_ways), StreamFd(), true);
}

void ConsoleLink::deliver(std::uint8_t channel, ByteView bytes, Time now) {
  const auto found = m_channels.find(channel);
  if (found != m_channels.end()) found->second.take(bytes, now);
}

void ConsoleLink::read_rest_only(std::uint8_t channel) {
  const auto found = m_channels.find(channel);
  if (found != m_channels.end()) found->second.read_rest_only();
}

void ConsoleLink::say(std::uint8_t channel, std::string_view text) {
  m_armour.send(channel, std::as_bytes(std::span(text)));
}

void ConsoleLink::type(std::string_view text) {
  m_typed += text;
}

void ConsoleLink::begin(Time now) {
  m_began = true;
  m_armour.tick(now);
}

void ConsoleLink::end_stream() {
  m_stream_ended = true;
  m_armour.end_stream();
}

void ConsoleLink::close() {
  m_channels.clear();
  m_in.reset();
  m_out.reset();
}

bool ConsoleLink::reads(std::uint8_t channel) const {
  const auto found = m_channels.find(channel);
  return found != m_channels.end() && found->second.reads();
}

// ---- what to wait for

void ConsoleLink::prepare(std::vector<pollfd>& polls) {
  if (!m_console_over) {
    if (may_read_console()) polls.push_back({m_in.get(), POLLIN, 0});
    if (!m_typed.empty() || (m_began && !m_armour.output().empty()))
      polls.push_back({m_out.get(), POLLOUT, 0});
  }
  const bool can_send = !m_stream_ended && LocalEnd::has_room(m_armour);
  for (const auto& [number, end] : m_channels) {
    if (end.reads() && can_send) polls.push_back({end.source_fd(), POLLIN, 0});
    if (end.writes()) polls.push_back({end.sink_fd(), POLLOUT, 0});
  }
}

std::optional<Time> ConsoleLink::next_tick() const {
  std::optional<Time> due = m_began ? m_armour.next_tick() : std::nullopt;
  const auto add = [&due](Time time) {
    if (!due || time < *due) due = time;
  };
  if (m_ended && !m_gave_up_output) add(*m_ended + last_word);
  for (const auto& [number, end] : m_channels) {
    const auto since = end.stuck_since();
    const bool counts = number < first_forward ? has_failed() && !m_gave_up_waiting : end.is_full();
    if (since && counts) add(*since + patience);
  }
  return due;
}

int ConsoleLink::timeout(Time now) const {
  const auto due = next_tick();
  if (!due) return -1;
  return static_cast<int>(std::clamp((*due - now).count(), Time::rep{0}, Time::rep{60'000}));
}

// ---- moving

void ConsoleLink::handle(Time now) {
  read_console(now);
  move_channels(now);
  tick(now);
  drain(now);
  write_console();
  if (has_ended() && !m_ended) m_ended = now;
}

void ConsoleLink::read_console(Time now) {
  std::size_t sum = 0;
  while (may_read_console() && sum < most_at_once) {
    const auto got = m_in.read(m_buffer);
    sum += got.size;
    if (got.size != 0) take_bytes(std::span(m_buffer).first(got.size), now);
    if (got.over) return lose_console(got, "reading from");
    if (got.size == 0) return;
  }
}

void ConsoleLink::take_bytes(ByteView bytes, Time now) {
  if (!m_began) {  // nobody speaks before the hello: it is all text
    m_armour.heard_text(bytes.size());
    return m_owner.on_foreign({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, 0);
  }
  m_armour.feed(bytes, now);
  drain(now);
}

void ConsoleLink::lose_console(const Transfer& why, const char* what) {
  m_console_over = true;
  // Both streams have ended: only last words are missing, and whose they are has gone.
  if (m_armour.finished() || !m_trouble.empty() || (m_peer_ended && m_stream_ended)) return;
  m_trouble = "the console ended before the session did";
  if (why.error != 0)
    m_trouble += std::string(" (") + what + " it: " + std::strerror(why.error) + ")";
}

void ConsoleLink::read_channel(std::uint8_t number, LocalEnd& end) {
  if (m_stream_ended) return;
  const auto bytes = end.read(m_armour, m_buffer);
  if (!bytes.empty()) m_owner.on_read(number, bytes);
}

void ConsoleLink::move_channels(Time now) {
  for (auto at = m_channels.begin(); at != m_channels.end();) {
    auto& end = at->second;
    read_channel(at->first, end);
    end.write(now);
    // Nothing comes on the channel any more: it stays as one that has been.
    end.is_over() && at->first >= first_forward ? (void)(at = m_channels.erase(at)) : (void)++at;
  }
}

void ConsoleLink::tick(Time now) {
  if (m_began) m_armour.tick(now);
  if (m_ended && now >= *m_ended + last_word) m_gave_up_output = true;
  for (auto& [number, end] : m_channels) {
    const auto since = end.stuck_since();
    if (!since || now < *since + patience) continue;
    if (number < first_forward) m_gave_up_waiting = m_gave_up_waiting || has_failed();
    if (number < first_forward || !end.is_full()) continue;
    end.drop();
    m_owner.on_dropped(number);
  }
}

bool ConsoleLink::is_stalled() const {
  for (const auto& [number, end] : m_channels)
    if (end.is_full()) return true;
  return false;
}

bool ConsoleLink::has_waiting() const {
  for (const auto& [number, end] : m_channels)
    if (number < first_forward && end.writes()) return true;
  return false;
}

void ConsoleLink::drain(Time now) {
  while (!is_stalled() || waits_for_nobody()) {
    const auto event = m_armour.next();
    if (!event) break;
    take(*event, now);
  }
  for (auto& [number, end] : m_channels) end.write(now);
}

void ConsoleLink::take(const armour::Event& event, Time now) {
  using namespace armour;
  if (const auto* foreign = std::get_if<ForeignText>(&event)) {
    m_owner.on_foreign(foreign->text, foreign->dropped);
  } else if (const auto* data = std::get_if<ChannelData>(&event)) {
    const auto found = m_channels.find(data->channel);
    if (found != m_channels.end()) return found->second.take(data->bytes, now);
    m_owner.on_unjoined(data->channel, data->bytes);
  } else if (const auto* ended = std::get_if<armour::ChannelEnd>(&event)) {
    const auto found = m_channels.find(ended->channel);
    if (found != m_channels.end()) return found->second.take_end();
    m_owner.on_unjoined_end(ended->channel);
  } else if (std::holds_alternative<StreamEnd>(event)) {
    m_peer_ended = true;
    for (auto& [number, end] : m_channels) end.take_end();
    m_owner.on_stream_end();
  } else if (const auto* fault = std::get_if<Fault>(&event)) {
    m_trouble = fault->text;
  }
}

void ConsoleLink::write_typed() {
  while (!m_console_over && !m_typed.empty()) {
    const auto sent = m_out.write(std::as_bytes(std::span(m_typed)));
    if (sent.over) return lose_console(sent, "writing to");
    if (sent.size == 0) return;
    m_typed.erase(0, sent.size);
  }
}

void ConsoleLink::write_console() {
  write_typed();
  std::size_t sum = 0;
  m_has_output = m_began;
  while (m_began && m_typed.empty() && !m_console_over && sum < most_at_once) {
    const auto out = m_armour.output();
    m_has_output = !out.empty();
    if (out.empty()) return;
    const auto sent = m_out.write(out);
    if (sent.over) return lose_console(sent, "writing to");
    if (sent.size == 0) return;
    m_armour.consume(sent.size);
    m_wrote += sent.size;
    sum += sent.size;
    for (auto& [number, end] : m_channels) read_channel(number, end);
  }
}

bool ConsoleLink::is_over() const {
  if ((is_stalled() || has_waiting()) && !waits_for_nobody()) return false;
  return m_console_over || (has_ended() && (!m_has_output || m_gave_up_output));
}

}  // namespace hearth::tunnel
