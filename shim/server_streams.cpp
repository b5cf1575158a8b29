#include "shim/server_streams.hpp"

#include "protocol/rpc_packet.hpp"

namespace hearth::shim {
namespace {

constexpr std::size_t noise_at_a_time = std::size_t{64} * 1024;
constexpr std::size_t max_errors = std::size_t{64} * 1024;  // bytes of them that wait

}  // namespace

void ServerStreams::become(Mode mode, Source source) {
  m_mode = mode;
  m_source = source;
}

std::span<std::byte> ServerStreams::prepare_channel() {
  if (m_mode == Mode::undecided) {
    become(Mode::channel, Source::channel);
    // What stdout was thought to begin is noise like the rest.
    m_decoder.finish();
    take_events();
  }
  if (m_mode == Mode::channel) return m_client.prepare(read_size);
  if (m_source == Source::channel) return m_decoder.prepare(read_size);
  m_packets.resize(read_size);
  return m_packets;
}

void ServerStreams::commit_channel(std::size_t size) {
  m_channel_bytes += size;
  if (m_mode == Mode::channel) {
    if (!m_client.commit(size)) lose_boundaries();
  } else if (m_source == Source::channel) {
    m_decoder.commit(size);
    take_events();
  } else if (m_channel_bytes == size) {
    say_error(
        "the server speaks on its stdout, so what it writes to its stdin's socket is dropped");
  }
}

void ServerStreams::lose_boundaries() {
  const std::uint64_t place = m_channel_bytes - m_client.rejected().size();
  m_decoder.feed(m_client.rejected());
  become(Mode::decoded, Source::channel);
  say_error("byte " + std::to_string(place) +
            " of the server's channel begins no packet; from there on, what is no packet is taken "
            "for output: nothing but the server may write to HEARTH_CHANNEL_FD");
  take_events();
}

void ServerStreams::take_out(protocol::ByteView bytes, bool drop) {
  if (m_mode == Mode::undecided || protocol_is_on(Source::out)) {
    m_decoder.feed(bytes);
    take_events();
  } else if (drop) {
    m_out.drop(protocol::as_text(bytes));
  } else {
    m_out.add(protocol::as_text(bytes));
  }
}

void ServerStreams::take_events() {
  if (m_mode != Mode::channel) m_client.begin_append();
  while (const auto event = m_decoder.next()) take_event(*event);
  if (m_mode == Mode::decoded) flush_out();
}

void ServerStreams::take_event(const protocol::DecodeEvent& event) {
  if (const auto* const foreign = std::get_if<protocol::ForeignBytes>(&event)) {
    m_out.add(protocol::as_text(foreign->bytes));
    return;
  }
  if (const auto* const damaged = std::get_if<protocol::DamagedPacket>(&event)) {
    if (m_mode != Mode::decoded) return m_out.add(protocol::as_text(damaged->bytes));
    say_error("a damaged packet of the server's, " + std::to_string(damaged->bytes.size()) +
              " bytes, was dropped: " + std::string(protocol::to_string(damaged->reason)));
    return;
  }
  const auto& packet = std::get<protocol::PacketView>(event);
  if (m_mode == Mode::undecided && protocol::rpc_part(packet) != protocol::RpcPart::other) {
    become(Mode::decoded, Source::out);
  }
  if (m_mode != Mode::decoded) return m_out.add(protocol::as_text(packet.wire));
  flush_out();
  m_client.append(packet.wire);
}

// In the order in which it came, since both are on one stream.
void ServerStreams::flush_out() {
  if (!m_out.pending()) return;
  m_packets.clear();
  m_out.take(std::string::npos, m_packets);
  m_client.append(m_packets);
}

void ServerStreams::give_up_waiting() {
  m_decoder.give_up_waiting();
  take_events();
}

void ServerStreams::insert_noise(bool with_err) {
  if (!m_client.can_insert()) return;
  if (!m_errors.empty()) {
    m_client.insert(m_errors);
    m_errors.clear();
  }
  for (Noise* const noise : {&m_out, &m_err}) {
    if (noise == &m_err && !with_err) continue;
    if (!noise->pending() || m_client.size() >= low_water) continue;
    m_packets.clear();
    noise->take(noise_at_a_time, m_packets);
    m_client.insert(m_packets);
  }
}

bool ServerStreams::noise_can_go(bool with_err) const {
  return m_client.can_insert() && m_client.size() < low_water &&
         (!m_errors.empty() || m_out.pending() || (with_err && m_err.pending()));
}

void ServerStreams::say_error(std::string_view text) {
  if (m_errors.size() < max_errors) protocol::append_rpc_error(text, m_errors);
}

void ServerStreams::finish(bool with_err) {
  m_decoder.finish();
  take_events();
  m_client.cut_off();
  m_packets.clear();
  m_out.finish(m_packets);
  with_err ? m_err.finish(m_packets) : m_err.finish_raw();
  m_client.append(m_packets);
  m_client.append(m_errors);
  m_errors.clear();
}

}  // namespace hearth::shim
