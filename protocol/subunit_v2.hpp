// Subunit v2 packets: the encoder and the incremental decoder. Wire format: spec/subunit-v2.md.
//
// Flow of decoding: feed() bytes as they arrive, call next() until nullopt ("need more bytes"); at
// end of file call finish(), and next() until nullopt once more. No I/O, clock or logging. A peer's
// bytes never throw: bytes between packets and damaged packets are events like any other.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>

namespace hearth::protocol {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<const std::byte>;
// UTC, as on the wire: seconds since the epoch and nanoseconds. On the wire: 1970 to 2106.
using Timestamp = std::chrono::sys_time<std::chrono::nanoseconds>;

inline constexpr std::size_t max_packet_size =
    4 * 1024 * 1024 - 1;  // bytes, header and CRC included
inline constexpr std::size_t min_packet_size = 8;
// How much file content encode_file() puts into one packet: small enough that packets of other
// tests are not held up behind one attachment.
inline constexpr std::size_t default_file_chunk = std::size_t{1024} * 1024;

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

// The name that python-subunit and spec/subunit-v2.md give a status; "undefined" where it has none.
[[nodiscard]] std::string_view to_string(TestStatus status);

[[nodiscard]] inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
[[nodiscard]] inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The tags of a decoded packet, in wire order, read from the packet's own bytes as they are
// iterated.
class TagList {
 public:
  class Iterator {
   public:
    using value_type = std::string_view;
    using reference = std::string_view;
    using difference_type = std::ptrdiff_t;
    using iterator_category =
        std::input_iterator_tag;  // C++17's; for ranges it is a forward iterator
    using iterator_concept = std::forward_iterator_tag;

    Iterator() = default;
    std::string_view operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const Iterator&) const = default;

   private:
    friend class TagList;
    explicit Iterator(const std::byte* at) : m_at(at) {}
    const std::byte* m_at = nullptr;
  };

  TagList() = default;
  [[nodiscard]] Iterator begin() const { return Iterator(m_encoded.data()); }
  [[nodiscard]] Iterator end() const { return Iterator(m_encoded.data() + m_encoded.size()); }
  [[nodiscard]] std::size_t size() const { return m_size; }
  [[nodiscard]] bool empty() const { return m_size == 0; }

 private:
  friend class PacketParser;
  // `encoded`: `size` strings as on the wire, already checked.
  TagList(ByteView encoded, std::size_t size) : m_encoded(encoded), m_size(size) {}
  ByteView m_encoded;
  std::size_t m_size = 0;
};

// One decoded packet. Strings are valid UTF-8 without NUL. An absent optional was not on the wire.
// Every view stays valid until the decoder's next feed(), prepare() or destruction.
struct PacketView {
  TestStatus status = TestStatus::undefined;
  bool runnable = false;
  bool eof = false;
  std::optional<std::string_view> test_id;
  std::optional<std::string_view> route_code;
  std::optional<Timestamp> timestamp;
  TagList tags;
  std::optional<std::string_view> mime_type;
  std::optional<std::string_view>
      file_name;          // present exactly when the packet carries (part of) a file
  ByteView file_content;  // may be empty with a file_name
  ByteView wire;          // the whole packet, as it came: to store or forward
};

// Bytes that belong to no packet. How a run of them is cut into events depends on how it was fed.
struct ForeignBytes {
  ByteView bytes;
};

enum class Damage : std::uint8_t {
  reserved_flag,  // a reserved flag is set
  packet_length,  // below the smallest packet, or a four-byte number
  checksum,       // the CRC-32 does not hold
  field_overrun,  // a field claims more bytes than the packet has left
  left_over,      // bytes between the last field and the checksum
  string_nul,     // a NUL in a string
  string_utf8,    // a string is not UTF-8
};
[[nodiscard]] std::string_view to_string(Damage reason);

// A packet at a place where there had to be one, or whose checksum holds, that cannot be read.
// Where and how far: spec/subunit-v2.md, "Resynchronisation". Does not depend on how it was fed.
struct DamagedPacket {
  Damage reason;
  ByteView bytes;
};

using DecodeEvent = std::variant<PacketView, ForeignBytes, DamagedPacket>;

// Memory: as long as next() is called until nullopt after each feed(), at most twice the packet
// limit plus the last feed. Time: linear in the bytes fed, whatever they are (see decoder's .cpp).
class PacketDecoder {
 public:
  PacketDecoder();
  ~PacketDecoder();
  PacketDecoder(PacketDecoder&&) noexcept;
  PacketDecoder& operator=(PacketDecoder&&) noexcept;

  // Copies `bytes` into the decoder's buffer. Ends the life of every view handed out before.
  void feed(ByteView bytes);
  // The same without the copy: room for at least `size` bytes to read into, then how many were
  // read. prepare() ends the life of every view; the room lasts until the next call of anything but
  // commit().
  [[nodiscard]] std::span<std::byte> prepare(std::size_t size);
  void commit(std::size_t size);

  // The next event; nullopt: more bytes are needed.
  [[nodiscard]] std::optional<DecodeEvent> next();

  // True when next() returned nullopt in the middle of what may become a packet.
  [[nodiscard]] bool waiting() const;
  // The reader's clock says that the packet waited for will not be completed: its first byte is
  // text, and the bytes behind it are scanned anew by next(), which may come to wait for a later
  // candidate. Without effect unless waiting().
  void give_up_waiting();
  // End of file: nothing is waited for any more. Call next() until nullopt; what is fed after that
  // is a new stream.
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

// What the encoder takes. An absent optional is a field that is not on the wire.
struct Packet {
  TestStatus status = TestStatus::undefined;
  bool runnable = false;
  std::optional<std::string_view> test_id;
  std::optional<std::string_view> route_code;
  std::optional<Timestamp> timestamp;
  std::span<const std::string_view> tags;
  std::optional<std::string_view> mime_type;
  std::optional<std::string_view>
      file_name;          // with file_content: the packet carries (part of) a file
  ByteView file_content;  // needs a file_name
  bool eof = false;
};

enum class EncodeError : std::uint8_t {
  too_large,        // the packet would exceed max_packet_size
  string_nul,       // a string holds a NUL
  string_utf8,      // a string is not UTF-8
  timestamp_range,  // before 1970 or after 2106-02-07T06:28:15Z
  nameless_file,    // file_content without file_name
};
[[nodiscard]] std::string_view to_string(EncodeError error);
using EncodeResult = tl::expected<void, EncodeError>;

// Appends one packet to `out`. On an error nothing is appended.
[[nodiscard]] EncodeResult encode(const Packet& packet, Bytes& out);

// Appends `packet` as one packet, or as several where its file content is longer than `chunk` bytes
// (or would exceed a packet): all carry test id, route code, MIME type and file name; the last one
// also carries status, timestamp, tags, runnable and eof. On an error nothing is appended.
[[nodiscard]] EncodeResult encode_file(const Packet& packet, Bytes& out,
                                       std::size_t chunk = default_file_chunk);

}  // namespace hearth::protocol
