// One frame of the console armour: what it says, its body in bytes, and the printable line around
// it. Layout: spec/tunnel.md, sections 2 and 3. Depends on Boost.CRC only (header-only): the shim
// links it statically.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace hearth::protocol {
using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
}  // namespace hearth::protocol

namespace hearth::protocol::armour {

// Who sent it. The caller speaks first; the answerer is silent until it is spoken to.
enum class Side : std::uint8_t { caller = 0, answerer = 1 };

enum class Kind : std::uint8_t {
  hello = 1,
  welcome = 2,
  refuse = 3,
  data = 4,
  channel_end = 5,
  stream_end = 6,
  ack = 7,
  reset = 8,
};

inline constexpr std::uint8_t version = 1;
inline constexpr std::size_t shortest_line = 255;  // bytes, line end included: [TUN-2.5]
inline constexpr std::size_t default_line = 1024;
inline constexpr std::size_t longest_line = 4096;
inline constexpr std::size_t line_overhead = 4;   // mark, end mark, line feed
inline constexpr std::size_t data_overhead = 15;  // a data frame's body without its payload
inline constexpr std::size_t max_window = 255;    // frames
inline constexpr std::size_t max_bitmap = 32;     // bytes

// Bytes of payload in a line of `line` bytes.
[[nodiscard]] constexpr std::size_t payload_of_line(std::size_t line) {
  return (line - line_overhead) * 3 / 4 - data_overhead;
}

// Keys the checksums of a session's frames, so that lines of an earlier session do not hold.
struct SessionKey {
  std::uint32_t caller_nonce = 0;
  std::uint32_t answerer_nonce = 0;
  bool operator==(const SessionKey&) const = default;
};

// The fields that a kind does not have are 0. Views are those of the bytes that were decoded.
struct Frame {
  Side side = Side::caller;
  Kind kind = Kind::ack;
  std::uint8_t min_version = 0;  // hello, refuse
  std::uint8_t max_version = 0;  // hello, refuse; welcome: the one chosen
  std::uint8_t window = 0;       // hello, welcome
  std::uint16_t line = 0;        // hello, welcome
  SessionKey nonces;             // hello, refuse: the caller's; welcome: both
  std::uint32_t ack = 0;         // the frames of a session: the first that has not arrived
  std::uint8_t credit = 0;       // and how many from there on may be sent
  std::uint32_t seq = 0;         // data, channel_end, stream_end
  std::uint8_t channel = 0;      // data, channel_end
  std::uint8_t cause = 0;        // reset
  ByteView payload;              // data; ack: the bitmap
};

[[nodiscard]] constexpr bool is_handshake(Kind kind) {
  return kind <= Kind::refuse;
}
[[nodiscard]] constexpr bool is_sequenced(Kind kind) {
  return kind >= Kind::data && kind <= Kind::stream_end;
}

// Appends the line of `frame`: mark, body and checksum in base64url, end mark, line feed.
void append_line(const Frame& frame, const SessionKey& key, Bytes& out);

// Body and checksum from the characters between the marks; false if they are not base64url in its
// one valid form. `out` is overwritten.
[[nodiscard]] bool decode_text(std::string_view text, Bytes& out);

// The frame of a body with its checksum; nullopt if the checksum does not hold (for the frames of a
// session: with `key`; without one they never hold) or the fields are not those of its kind.
[[nodiscard]] std::optional<Frame> parse_body(ByteView body, const std::optional<SessionKey>& key);

// Is `c` of the alphabet of the body?
[[nodiscard]] bool is_body_character(std::byte c);

}  // namespace hearth::protocol::armour
