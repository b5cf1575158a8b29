// What comes from a server, put in order for the client: its packets as they are, and everything
// else as attachments between them. No descriptors, no clock.
//
//   undecided  nothing is known of the server. A byte on the channel makes it `channel`, an RPC
//              packet on its stdout `decoded`.
//   channel    the channel's bytes are forwarded as they are, and stdout is noise.
//   decoded    the protocol is on stdout, or was found on the channel with other bytes in it: the
//              packets in that stream are forwarded, and what is between them is noise.
#pragma once

#include <string>

#include "shim/client_stream.hpp"
#include "shim/noise.hpp"

namespace hearth::shim {

class ServerStreams {
 public:
  enum class Source { channel, out };  // of the protocol
  enum class Mode { undecided, channel, decoded };

  static constexpr std::size_t low_water =
      std::size_t{64} * 1024;  // bytes; above, the client is behind
  static constexpr std::size_t read_size = std::size_t{64} * 1024;  // bytes at a time

  [[nodiscard]] Mode mode() const { return m_mode; }
  [[nodiscard]] ClientStream& client() { return m_client; }
  [[nodiscard]] Noise& out() { return m_out; }
  [[nodiscard]] Noise& err() { return m_err; }
  [[nodiscard]] const Noise& out() const { return m_out; }
  [[nodiscard]] const Noise& err() const { return m_err; }

  // Whether the stream that carries the protocol may be read.
  [[nodiscard]] bool may_read_protocol() const { return m_client.size() < low_water; }
  [[nodiscard]] bool protocol_is_on(Source source) const {
    return m_mode != Mode::undecided && source == m_source;
  }

  // The channel: where to read to, and how much came.
  [[nodiscard]] std::span<std::byte> prepare_channel();
  void commit_channel(std::size_t size);
  // What came on stdout; with the protocol elsewhere, `drop` it rather than keep it.
  void take_out(protocol::ByteView bytes, bool drop);

  // What looked like the beginning of a packet has not gone on for a while.
  [[nodiscard]] bool waiting() const { return m_decoder.waiting(); }
  void give_up_waiting();

  // Puts noise where it can go now, as long as the client is not behind. Call it in each turn,
  // after reading. `with_err`: what is on stderr, too.
  void insert_noise(bool with_err);
  // Whether that would do anything.
  [[nodiscard]] bool noise_can_go(bool with_err) const;
  // An `error` attachment, as soon as it can be.
  void say_error(std::string_view text);
  // All streams of the server have ended.
  void finish(bool with_err);

 private:
  void become(Mode mode, Source source);
  void take_events();
  void take_event(const protocol::DecodeEvent& event);
  void lose_boundaries();
  void flush_out();

  ClientStream m_client;
  Noise m_out{"stdout"};
  Noise m_err{"stderr"};
  Mode m_mode = Mode::undecided;
  Source m_source = Source::channel;
  protocol::PacketDecoder m_decoder;
  protocol::Bytes m_errors;   // encoded, until they can be inserted
  protocol::Bytes m_packets;  // scratch
  std::uint64_t m_channel_bytes = 0;
};

}  // namespace hearth::shim
