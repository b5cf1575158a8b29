// One end of a console, for a loop around poll(): moves bytes between the console's descriptors,
// the armour (protocol/console_armour.hpp) and the local ends of its channels. Wire format and
// times: spec/tunnel.md. The same engine for caller and answerer; what channels mean is its
// owner's.
//
// Flow: prepare() adds what is to be polled, timeout() says for how long, handle() does whatever
// can be done by now. Ends when is_over(): finished, or with a fault.
//
// Memory is bounded by the armour and LocalEnd::max_waiting for each channel. A channel whose
// local end takes nothing holds all of them up (TUN-6.10); from channel 2 on, for `patience` at
// most.
#pragma once

#include <poll.h>

#include <map>
#include <string>

#include "tunnel/local_end.hpp"

namespace hearth::tunnel {

namespace armour = protocol::armour;

class ConsoleLink {
 public:
  static constexpr std::uint8_t first_forward = 2;  // the channels below are always there
  static constexpr Time patience{10'000};

  class Owner {
   public:
    virtual ~Owner() = default;
    // What the console says, for people.
    virtual void on_foreign(std::string_view /*text*/, std::uint64_t /*dropped*/) {}
    // What a local end says, on its way out.
    virtual void on_read(std::uint8_t /*channel*/, ByteView /*bytes*/) {}
    // Comes on a channel that was not joined. join() may be called.
    virtual void on_unjoined(std::uint8_t /*channel*/, ByteView /*bytes*/) {}
    virtual void on_unjoined_end(std::uint8_t /*channel*/) {}
    virtual void on_dropped(std::uint8_t /*channel*/) {}  // patience was at its end
    // The other end sends no more.
    virtual void on_stream_end() {}
  };

  ConsoleLink(StreamFd in, StreamFd out, const armour::Options& options, Owner& owner);

  // The local end of a channel; a channel is joined once.
  void join(std::uint8_t channel, StreamFd source, StreamFd sink);
  void join(std::uint8_t channel, StreamFd both_ways);
  // Bytes for a channel's local end, as if they had come on it.
  void deliver(std::uint8_t channel, ByteView bytes, Time now);
  // The local end has said all: it ends when what is there by now has been read.
  void read_rest_only(std::uint8_t channel);
  // Beside what a local end says.
  void say(std::uint8_t channel, std::string_view text);
  [[nodiscard]] bool can_say() const { return !m_stream_ended && LocalEnd::has_room(m_armour); }
  void end_channel(std::uint8_t channel) { m_armour.end_channel(channel); }
  // Text into the console as it is: what is typed at a prompt, before the session begins.
  void type(std::string_view text);
  // A caller is silent until this is called; an answerer listens from the start.
  void begin(Time now);

  // No more from this end on any channel; what was read before still goes out.
  void end_stream();
  void give_up() {
    m_given_up = true;
    m_has_output = m_began;  // a last word
    m_armour.give_up();
  }
  // Lets go of the console and of all local ends; nothing else may be called then.
  void close();

  void prepare(std::vector<pollfd>& polls);
  [[nodiscard]] std::optional<Time> next_tick() const;
  // For poll(): milliseconds; -1: none.
  [[nodiscard]] int timeout(Time now) const;
  void handle(Time now);

  // Everything has gone where it belongs, or nothing more can.
  [[nodiscard]] bool is_over() const;
  // Why the session is incomplete; empty: it is not.
  [[nodiscard]] const std::string& trouble() const { return m_trouble; }
  // The console itself has ended: end of file, hang-up, an error.
  [[nodiscard]] bool console_ended() const { return m_console_over; }
  // Do the sources of a channel still have something to say?
  [[nodiscard]] bool reads(std::uint8_t channel) const;
  [[nodiscard]] bool began() const { return m_began; }
  // Bytes that the console has taken.
  [[nodiscard]] std::uint64_t wrote() const { return m_wrote; }
  // Frames that were sent again.
  [[nodiscard]] std::uint64_t resent() const { return m_armour.resent(); }

 private:
  void read_console(Time now);
  void take_bytes(ByteView bytes, Time now);
  void read_channel(std::uint8_t number, LocalEnd& end);
  void write_console();
  void write_typed();
  [[nodiscard]] bool has_ended() const { return m_armour.failed() || m_armour.finished(); }
  void drain(Time now);
  void take(const armour::Event& event, Time now);
  void tick(Time now);
  void move_channels(Time now);
  [[nodiscard]] bool is_stalled() const;
  [[nodiscard]] bool has_waiting() const;
  [[nodiscard]] bool has_failed() const { return m_console_over || m_armour.failed(); }
  // Nobody waits any more for local ends that take nothing.
  [[nodiscard]] bool waits_for_nobody() const { return m_gave_up_waiting || m_given_up; }
  [[nodiscard]] bool may_read_console() const {
    return !m_console_over && (m_began || !is_stalled());
  }
  void lose_console(const Transfer& why, const char* what);

  StreamFd m_in;
  StreamFd m_out;
  ConsoleArmour m_armour;
  Owner& m_owner;
  std::map<std::uint8_t, LocalEnd> m_channels;
  std::vector<std::byte> m_buffer;
  std::string m_typed;
  std::uint64_t m_wrote = 0;
  bool m_began;
  bool m_console_over = false;
  bool m_stream_ended = false;  // ours
  bool m_peer_ended = false;    // the other end's stream
  bool m_has_output = false;    // that the console has not taken
  std::optional<Time> m_ended;  // since when only that is left
  bool m_gave_up_output = false;
  bool m_gave_up_waiting = false;  // for local ends, behind a failure
  bool m_given_up = false;         // by its owner
  std::string m_trouble;
};

}  // namespace hearth::tunnel
