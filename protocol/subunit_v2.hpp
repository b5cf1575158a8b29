// Subunit v2 packets: the encoder and the incremental decoder. Wire format: spec/subunit-v2.md.
//
// Flow of decoding: feed() bytes as they arrive, call next() until nullopt ("need more bytes"), call
// finish() at end of file until nullopt. No I/O, clock or logging. A peer's bytes never throw: bytes
// between packets and damaged packets are events like any other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hearth::protocol {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
// UTC, as on the wire: seconds since the epoch and nanoseconds.
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

inline constexpr std::size_t max_packet_size = 4 * 1024 * 1024 - 1;  // bytes, header and CRC included

// The values are those of the wire.
enum class TestStatus : std::uint8_t {
  undefined = 0,
  exists = 1,
  inprogress = 2,
  success = 3,
  uxsuccess = 4,
  skip = 5,
  fail = 6,
  xfail = 7,
};

// The tags of a decoded packet, read from the packet's own bytes as they are iterated.
class TagList;

// One decoded packet. Every view stays valid until the decoder's next feed().
struct PacketView;

// What the encoder takes. An absent optional is a field that is not on the wire.
struct Packet {
  TestStatus status = TestStatus::undefined;
  bool runnable = false;
  std::optional<std::string_view> test_id;
  std::optional<std::string_view> route_code;
  std::optional<Timestamp> timestamp;
  std::span<const std::string_view> tags;
  std::optional<std::string_view> mime_type;
  std::optional<std::string_view> file_name;  // with file_content: the packet carries (part of) a file
  ByteView file_content;
  bool eof = false;
};

}  // namespace hearth::protocol
