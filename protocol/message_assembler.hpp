// Puts RPC messages together from the packets they were split over. spec/rpc.md, "Packets".
//
// A message ends at EOF, or with the packet whose last byte makes what has arrived one whole JSON
// object (a sender that follows the draft to the letter sets no EOF); white space around it is
// allowed, and so is an EOF that comes by itself, later (RPC-2.7). What can never become an object
// is refused as soon as that shows; the next message then starts after that one's EOF, or with the
// next packet that begins with `{` (RPC-2.14).
//
// Flow: add() the content of each packet, take() until nullopt. Time is linear in the bytes added.
// Memory: the limit, plus an outline of each message (see ObjectScanner) of at most 256 KiB.
#pragma once

#include <deque>

#include "protocol/rpc_message.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

// Follows the structure of one JSON object that arrives in pieces: where it ends, whether it still
// can become one. It does not look into strings (but for control characters), numbers and literals:
// parse_message() does.
class ObjectScanner {
 public:
  enum class Progress : std::uint8_t {
    blank,     // white space only, so far
    open,      // the beginning of an object
    complete,  // one whole object, and white space
    broken,    // no continuation makes it one object
  };

  Progress scan(std::string_view piece);
  [[nodiscard]] Progress progress() const { return m_progress; }
  [[nodiscard]] std::size_t scanned() const { return m_scanned; }
  // Valid when broken: the cause and the byte where it showed.
  [[nodiscard]] std::string fault() const;

  // The object without what is inside its members' arrays and objects: enough to know the kind and
  // the nonce of a message that is too long to be kept. Empty once it would exceed 256 KiB.
  [[nodiscard]] std::string_view outline() const { return m_outline; }

 private:
  enum class Expect : std::uint8_t { key, key_or_end, colon, value, value_or_end, comma_or_end };
  enum class Inside : std::uint8_t { structure, string, escape, scalar };

  std::size_t scan_run(std::string_view piece, std::size_t from);
  std::size_t scan_string(std::string_view piece, std::size_t from);
  std::size_t scan_scalar(std::string_view piece, std::size_t from);
  void scan_structure(char c);
  void open(bool object);
  void close(bool object);
  void value_ended();
  void fail(const char* cause);
  void keep(std::string_view text);

  Progress m_progress = Progress::blank;
  Inside m_inside = Inside::structure;
  Expect m_expect = Expect::value;
  bool m_string_is_key = false;
  std::uint32_t m_depth = 0;
  std::uint64_t m_objects = 0;  // bit n: the level n+1 is an object, not an array
  std::size_t m_scanned = 0;
  const char* m_fault = nullptr;
  std::string m_outline;
  bool m_outline_full = false;
};
static_assert(max_message_depth <= 64, "ObjectScanner keeps one bit for each level");

class MessageAssembler {
 public:
  using Outcome = tl::expected<Message, MessageError>;

  explicit MessageAssembler(std::size_t limit = max_message_size) : m_limit(limit) {}

  void add(ByteView content, bool eof);
  // The stream is over: a message that was under way is refused.
  void finish();
  // A piece without a MIME type belongs to a message if this is true.
  [[nodiscard]] bool expects_more() const { return m_state != State::idle; }
  // What came out of the packets so far, in order.
  [[nodiscard]] std::optional<Outcome> take();

 private:
  enum class State : std::uint8_t {
    idle,      // between messages
    ended,     // a message ended without EOF, which may still come by itself
    open,      // a message is under way
    skipping,  // the rest of a refused message
  };

  void start(std::string_view content, bool eof);
  void extend(std::string_view content, bool eof);
  void append(std::string_view content);
  void complete(bool eof);
  void break_off(bool eof);
  void refuse(std::string reason);
  void refuse_oversized();

  std::size_t m_limit;
  State m_state = State::idle;
  ObjectScanner m_scanner;
  std::string m_text;
  bool m_oversized = false;  // m_text is given up; the scanner goes on
  std::deque<Outcome> m_outcomes;
};

}  // namespace hearth::protocol
