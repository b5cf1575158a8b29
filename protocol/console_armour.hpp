// One end of the console armour, without I/O or clock: several channels of bytes over a console
// that echoes, translates line ends, says things of its own, and loses or damages lines. Wire
// format, times and what is guaranteed: spec/tunnel.md.
//
// Flow: feed() what the console says, together with the time; poll next() until nullopt; send() to
// channels; write what output() holds to the console and consume() what was written; call tick()
// when next_tick() has come, after feeding what has arrived by then. All may add to output().
//
// Memory is bounded whatever the peer and the owner do: a window of frames in each direction,
// Sender::max_queued bytes waiting, Scanner::max_foreign bytes of foreign text, 20 KiB of output.
// An owner that does not call next() stops the peer's data and nothing else.
#pragma once

#include <bitset>
#include <string>
#include <variant>

#include "protocol/armour_receiver.hpp"
#include "protocol/armour_scanner.hpp"
#include "protocol/armour_sender.hpp"

namespace hearth::protocol::armour {

struct Options {
  Side side = Side::caller;
  // A number that no other session on this console has: from the system's random source.
  std::uint32_t nonce = 0;
  std::uint8_t window = max_window;   // frames, 1 to 255
  std::uint16_t line = default_line;  // bytes, shortest_line to longest_line
  Time hello_every{500};
  Time connect_deadline{30'000};       // to find the other end; 0: none
  Time deadline{30'000};               // without a sign of the other end, or without progress
  Time linger{2'000};                  // for the other end's last word
  std::uint8_t min_version = version;  // other than the defaults in tests only
  std::uint8_t max_version = version;
};

// The two ends have found each other. Comes before everything but foreign text.
struct Connected {
  std::uint8_t version;
};
struct ChannelData {
  std::uint8_t channel;
  ByteView bytes;  // valid until the next feed() or next()
};
struct ChannelEnd {
  std::uint8_t channel;
};
// The other end sends no more, on any channel.
struct StreamEnd {};
// What the console said that is no frame: prompts, kernel messages, and what is left of damaged
// frames. For people, never for the protocol.
struct ForeignText {
  std::string text;
  std::uint64_t dropped;  // bytes behind `text` that were not kept, because nobody asked in time
};

enum class FaultCause : std::uint8_t {
  lost_peer = 1,
  no_progress = 2,
  bad_frame = 3,
  superseded = 4,
  given_up = 5,
  no_peer = 6,
  versions = 7,
};
// The stream is over and incomplete. What was handed out before is right and in order.
struct Fault {
  FaultCause cause;
  bool told_by_peer;  // the other end has given up, for this cause
  std::string text;   // cause and way out, for people
};
using Event = std::variant<Connected, ChannelData, ChannelEnd, StreamEnd, ForeignText, Fault>;

class ConsoleArmour {
 public:
  explicit ConsoleArmour(const Options& options);

  void feed(ByteView bytes, Time now);
  // Text that came before anything was fed, for whoever is told why nobody was found.
  void heard_text(std::size_t size) { m_bytes += size; }
  void tick(Time now);
  // When tick() is to be called at the latest; nullopt: no need.
  [[nodiscard]] std::optional<Time> next_tick() const;
  [[nodiscard]] std::optional<Event> next();

  // Takes as many bytes as there is room for and says how many. Also before Connected. 0 for good
  // once the channel or the stream was ended, or after a fault.
  std::size_t send(std::uint8_t channel, ByteView bytes) { return m_sender.send(channel, bytes); }
  [[nodiscard]] std::size_t room() const { return m_sender.room(); }
  void end_channel(std::uint8_t channel) { m_sender.end_channel(channel); }
  // No more on any channel; what was sent before still goes out.
  void end_stream() { m_sender.end_stream(); }
  // Ends the session at once, in both directions, as a fault.
  void give_up();

  // Bytes to write; valid until the next call of a function that is not const.
  [[nodiscard]] ByteView output();
  void consume(std::size_t size);

  // Both streams have ended and are complete. With output() written, the owner may leave.
  [[nodiscard]] bool finished() const;
  // A Fault is or was to be handed out.
  [[nodiscard]] bool failed() const { return m_state == State::failed; }
  [[nodiscard]] std::uint64_t resent() const { return m_sender.resent(); }

 private:
  enum class State { searching, welcomed, connected, failed };

  void take(const Frame& frame);
  void take_hello(const Frame& frame);
  void take_welcome(const Frame& frame);
  void take_session(const Frame& frame);
  void connect();
  void start(std::uint8_t window, std::uint16_t line, SessionKey key);

  void set_time(Time now);
  void tick_search();
  void tick_session();
  void fail(FaultCause cause, bool told_by_peer = false);
  [[nodiscard]] std::string fault_text(FaultCause cause, bool told_by_peer) const;
  [[nodiscard]] std::string search_text() const;

  [[nodiscard]] std::optional<Event> event_of(const Receiver::Item& item);
  [[nodiscard]] bool repeats_handshake() const;
  [[nodiscard]] bool all_written() const { return m_written == m_output.size(); }
  void fill_output();
  void put_handshake();
  void put_session(Frame frame);
  void put_ack();
  void put_line(const Frame& frame, const SessionKey& key);

  Options m_options;
  State m_state = State::searching;
  Scanner m_scanner;
  Receiver m_receiver;
  Sender m_sender;
  std::optional<SessionKey> m_key;
  std::uint8_t m_version = 0;
  std::uint8_t m_window = 0;
  std::uint16_t m_line = 0;

  std::optional<Time> m_started;
  Time m_now{0};
  Time m_fed{0};        // when bytes came
  Time m_heard{0};      // when a frame of the other end came
  Time m_spoke{0};      // when an acknowledgement was sent, alone: a line too short to be cut
  Time m_handshake{0};  // when a hello or a welcome is to be repeated
  std::optional<Time> m_peer_ended;

  bool m_handshake_due = false;
  bool m_refuse_due = false;
  bool m_reset_due = false;
  bool m_ack_due = false;    // by any frame of the session
  bool m_life_due = false;   // by a frame of its own
  std::uint32_t m_told = 0;  // the limit that the other end was told
  bool m_connected_due = false;
  bool m_end_handed_out = false;
  bool m_lingered = false;
  std::bitset<256> m_ended;
  std::optional<Fault> m_fault;  // until it is handed out
  FaultCause m_cause = FaultCause::given_up;

  // What was heard while searching: it tells why nobody was found.
  std::uint64_t m_bytes = 0;
  std::uint64_t m_damaged = 0;
  std::uint64_t m_echoes = 0;
  bool m_rival = false;
  std::string m_peer_versions;

  Bytes m_output;
  std::size_t m_written = 0;
};

}  // namespace hearth::protocol::armour
