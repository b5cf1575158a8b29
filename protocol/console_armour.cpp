#include "protocol/console_armour.hpp"

#include <algorithm>

namespace hearth::protocol::armour {
namespace {

constexpr std::size_t fill_below = std::size_t{4} * 1024;   // bytes of output not yet written
constexpr std::size_t fill_until = std::size_t{16} * 1024;  // and one line
constexpr Time hold_back{250};                              // a mark with nothing behind it
constexpr int signs_of_life = 4;                            // in a deadline
constexpr int xons = 8;  // a part of the deadline after which a silent console may be a stopped one
constexpr std::byte xon{0x11};
constexpr std::size_t smallest_body = 9;  // bytes; what is shorter was never a frame

}  // namespace

ConsoleArmour::ConsoleArmour(const Options& options)
    : m_options(options), m_receiver(options.window) {
  m_options.window = std::max<std::uint8_t>(options.window, 1);
  m_options.line = std::clamp<std::uint16_t>(options.line, shortest_line, longest_line);
  m_handshake_due = options.side == Side::caller;
}

void ConsoleArmour::set_time(Time now) {
  if (!m_started) m_started = m_heard = m_spoke = m_handshake = now;
  m_now = std::max(m_now, now);
}

void ConsoleArmour::feed(ByteView bytes, Time now) {
  set_time(now);
  m_fed = m_now;
  m_bytes += bytes.size();
  while (m_state != State::failed && m_scanner.scan(bytes)) {
    if (const auto frame = parse_body(m_scanner.body(), m_key)) {
      take(*frame);
    } else {
      if (m_scanner.body().size() > smallest_body) ++m_damaged;
      m_scanner.reject();
    }
  }
}

void ConsoleArmour::take(const Frame& frame) {
  if (frame.side == m_options.side) {
    ++m_echoes;
    const bool own = frame.nonces.caller_nonce == m_options.nonce;
    if (frame.kind == Kind::hello && !own) m_rival = true;
    return;
  }
  if (frame.kind == Kind::hello) return take_hello(frame);
  if (is_handshake(frame.kind)) return take_welcome(frame);
  take_session(frame);
}

void ConsoleArmour::take_hello(const Frame& frame) {
  if (m_options.side != Side::answerer) return;
  const SessionKey key{frame.nonces.caller_nonce, m_options.nonce};
  if (m_state == State::connected) {
    if (key != m_key) fail(FaultCause::superseded);
    return;
  }
  if (frame.window == 0 || frame.line < shortest_line) return;
  const auto highest = std::min(frame.max_version, m_options.max_version);
  if (highest < std::max(frame.min_version, m_options.min_version)) {
    m_key = key;
    m_refuse_due = true;
    m_peer_versions =
        std::to_string(frame.min_version) + " to " + std::to_string(frame.max_version);
    return fail(FaultCause::versions);
  }
  m_handshake_due = true;
  m_heard = m_now;
  if (m_state == State::welcomed && key == m_key) return;
  m_state = State::welcomed;
  m_version = highest;
  start(std::min(frame.window, m_options.window), std::min(frame.line, m_options.line), key);
}

void ConsoleArmour::take_welcome(const Frame& frame) {
  if (m_options.side != Side::caller || frame.nonces.caller_nonce != m_options.nonce) return;
  if (m_state == State::connected) {
    if (frame.kind == Kind::welcome && frame.nonces == m_key) m_ack_due = true;
    return;
  }
  if (frame.kind == Kind::refuse) {
    m_peer_versions =
        std::to_string(frame.min_version) + " to " + std::to_string(frame.max_version);
    return fail(FaultCause::versions);
  }
  const bool within = frame.max_version >= m_options.min_version &&
                      frame.max_version <= m_options.max_version && frame.window >= 1 &&
                      frame.window <= m_options.window && frame.line >= shortest_line &&
                      frame.line <= m_options.line;
  if (!within) return fail(FaultCause::bad_frame);
  m_version = frame.max_version;
  start(frame.window, frame.line, frame.nonces);
  m_ack_due = true;
  connect();
}

void ConsoleArmour::start(std::uint8_t window, std::uint16_t line, SessionKey key) {
  m_key = key;
  m_window = window;
  m_line = line;
  m_receiver = Receiver(window);
  m_told = m_receiver.ack() + m_receiver.credit();
  m_sender.start(window, payload_of_line(line), window);
}

void ConsoleArmour::connect() {
  m_state = State::connected;
  m_connected_due = true;
  m_handshake_due = false;
  m_heard = m_now;
}

void ConsoleArmour::take_session(const Frame& frame) {
  if (m_state == State::welcomed) connect();
  if (m_state != State::connected) return;
  m_heard = m_now;
  if (frame.kind == Kind::reset) {
    const bool known = frame.cause >= static_cast<int>(FaultCause::lost_peer) &&
                       frame.cause <= static_cast<int>(FaultCause::given_up);
    return fail(known ? static_cast<FaultCause>(frame.cause) : FaultCause::given_up, true);
  }
  if (!m_sender.acknowledge(frame, m_now)) return fail(FaultCause::bad_frame);
  if (!is_sequenced(frame.kind)) return;
  m_receiver.accept(frame);
  if (m_receiver.stream_ended() && !m_peer_ended) m_peer_ended = m_now;
  m_ack_due = true;
}

std::optional<Event> ConsoleArmour::next() {
  if (m_scanner.has_foreign()) {
    ForeignText foreign;
    foreign.dropped = m_scanner.take_foreign(foreign.text);
    return foreign;
  }
  if (m_connected_due) {
    m_connected_due = false;
    return Connected{m_version};
  }
  while (const auto* item = m_receiver.next()) {
    const std::uint32_t untold = m_receiver.ack() + m_receiver.credit() - m_told;
    if (untold >= std::max<std::uint32_t>(m_window / 2, 1)) m_ack_due = true;
    if (auto event = event_of(*item)) return event;
  }
  if (!m_fault) return std::nullopt;
  auto fault = std::move(*m_fault);
  m_fault.reset();
  return fault;
}

std::optional<Event> ConsoleArmour::event_of(const Receiver::Item& item) {
  if (item.kind == Kind::stream_end) {
    m_end_handed_out = true;
    return StreamEnd{};
  }
  if (m_ended[item.channel]) {
    fail(FaultCause::bad_frame);
    return std::nullopt;
  }
  if (item.kind == Kind::data) return ChannelData{item.channel, item.payload};
  m_ended[item.channel] = true;
  return ChannelEnd{item.channel};
}

bool ConsoleArmour::finished() const {
  return m_state != State::failed && m_end_handed_out && m_sender.stream_ended() &&
         (m_sender.all_acknowledged() || m_lingered);
}

void ConsoleArmour::give_up() {
  fail(FaultCause::given_up);
}

void ConsoleArmour::fail(FaultCause cause, bool told_by_peer) {
  if (m_state == State::failed || finished()) return;
  m_reset_due = m_state == State::connected && !told_by_peer;
  m_cause = cause;
  m_fault = Fault{cause, told_by_peer, fault_text(cause, told_by_peer)};
  m_state = State::failed;
  m_handshake_due = m_ack_due = false;
  m_sender.end_stream();
}

ByteView ConsoleArmour::output() {
  if (m_output.size() - m_written < fill_below) fill_output();
  return ByteView(m_output).subspan(m_written);
}

void ConsoleArmour::consume(std::size_t size) {
  if (size != 0) m_sender.written(m_now);
  m_written += std::min(size, m_output.size() - m_written);
}

void ConsoleArmour::fill_output() {
  m_output.erase(m_output.begin(), m_output.begin() + static_cast<std::ptrdiff_t>(m_written));
  m_written = 0;
  put_handshake();
  if (m_reset_due) {
    Frame reset;
    reset.kind = Kind::reset;
    reset.cause = static_cast<std::uint8_t>(m_cause);
    put_session(reset);
    m_reset_due = false;
  }
  if (m_state != State::connected) return;
  if (m_life_due || (m_ack_due && m_receiver.has_gap())) put_ack();
  while (m_output.size() < fill_until) {
    const auto frame = m_sender.next(m_now);
    if (!frame) break;
    put_session(*frame);
    m_ack_due = false;
  }
  if (!m_ack_due) return;
  put_ack();
  // Nobody repeats the last word: it is said twice.
  if (m_receiver.stream_ended() && m_sender.stream_ended() && m_sender.all_acknowledged())
    put_ack();
}

void ConsoleArmour::put_handshake() {
  if (!m_handshake_due && !m_refuse_due) return;
  Frame frame;
  frame.side = m_options.side;
  frame.kind = m_refuse_due                     ? Kind::refuse
               : m_options.side == Side::caller ? Kind::hello
                                                : Kind::welcome;
  frame.min_version = m_options.min_version;
  frame.max_version = frame.kind == Kind::welcome ? m_version : m_options.max_version;
  frame.window = frame.kind == Kind::welcome ? m_window : m_options.window;
  frame.line = frame.kind == Kind::welcome ? m_line : m_options.line;
  frame.nonces = m_key.value_or(SessionKey{m_options.nonce, 0});
  put_line(frame, {});
  m_handshake_due = m_refuse_due = false;
  m_handshake = m_now + m_options.hello_every;
}

void ConsoleArmour::put_session(Frame frame) {
  frame.side = m_options.side;
  frame.ack = m_receiver.ack();
  frame.credit = m_receiver.credit();
  m_told = frame.ack + frame.credit;
  put_line(frame, *m_key);
}

void ConsoleArmour::put_line(const Frame& frame, const SessionKey& key) {
  if (m_now >= m_heard + m_options.deadline / xons) m_output.push_back(xon);
  append_line(frame, key, m_output);
}

void ConsoleArmour::put_ack() {
  Bytes bitmap;
  m_receiver.append_bitmap(bitmap);
  Frame frame;
  frame.kind = Kind::ack;
  frame.payload = bitmap;
  put_session(frame);
  m_ack_due = m_life_due = false;
  m_spoke = m_now;
}

bool ConsoleArmour::repeats_handshake() const {
  return m_state == State::welcomed ||
         (m_state == State::searching && m_options.side == Side::caller);
}

void ConsoleArmour::tick(Time now) {
  set_time(now);
  if (m_scanner.holds_mark() && m_now >= m_fed + hold_back) m_scanner.give_up();
  if (m_state == State::failed || finished()) return;
  m_state == State::connected ? tick_session() : tick_search();
}

void ConsoleArmour::tick_search() {
  if (m_options.connect_deadline != Time{0} && m_now >= *m_started + m_options.connect_deadline)
    return fail(FaultCause::no_peer);
  if (m_state == State::welcomed && m_now >= m_heard + m_options.deadline) {
    m_state = State::searching;  // the caller has gone: back to silence
    m_handshake_due = false;
    m_key.reset();
  }
  if (repeats_handshake() && m_now >= m_handshake) m_handshake_due = true;
}

void ConsoleArmour::tick_session() {
  if (m_peer_ended && m_sender.only_end_open() &&
      m_now >= std::max(*m_peer_ended, *m_sender.stuck_since()) + m_options.linger) {
    m_lingered = true;
    return;
  }
  if (m_now >= m_heard + m_options.deadline) return fail(FaultCause::lost_peer);
  const auto stuck = m_sender.stuck_since();
  if (stuck && m_now >= *stuck + m_options.deadline) return fail(FaultCause::no_progress);
  if (all_written()) m_sender.tick(m_now);
  if (m_now >= m_spoke + m_options.deadline / signs_of_life) m_life_due = true;
}

std::optional<Time> ConsoleArmour::next_tick() const {
  std::optional<Time> due;
  const auto add = [&](std::optional<Time> time) {
    if (time && (!due || *time < *due)) due = time;
  };
  if (m_scanner.holds_mark()) add(m_fed + hold_back);
  if (!m_started) return Time{0};
  if (m_state == State::failed || finished()) return due;
  if (m_state != State::connected) {
    if (m_options.connect_deadline != Time{0}) add(*m_started + m_options.connect_deadline);
    if (repeats_handshake() && !m_handshake_due) add(m_handshake);
    if (m_state == State::welcomed) add(m_heard + m_options.deadline);
    return due;
  }
  add(m_heard + m_options.deadline);
  if (all_written()) add(m_sender.next_tick());
  if (!m_life_due) add(m_spoke + m_options.deadline / signs_of_life);
  if (const auto stuck = m_sender.stuck_since()) {
    add(*stuck + m_options.deadline);
    if (m_peer_ended && m_sender.only_end_open())
      add(std::max(*m_peer_ended, *stuck) + m_options.linger);
  }
  return due;
}

}  // namespace hearth::protocol::armour
