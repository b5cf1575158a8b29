#include <algorithm>
#include <cstring>

#include "protocol/crc32.hpp"
#include "protocol/subunit_v2.hpp"
#include "protocol/subunit_v2_wire.hpp"
#include "protocol/utf8.hpp"

namespace hearth::protocol {
namespace {

constexpr std::int64_t nanoseconds_per_second = 1'000'000'000;
constexpr std::int64_t max_seconds = 0xFFFFFFFF;

// A packet's timestamp as on the wire.
struct WireTime {
  std::uint32_t seconds;
  std::uint32_t nanoseconds;
};

tl::expected<WireTime, EncodeError> to_wire(Timestamp when) {
  const std::int64_t total = when.time_since_epoch().count();
  if (total < 0 || total / nanoseconds_per_second > max_seconds) {
    return tl::unexpected(EncodeError::timestamp_range);
  }
  return WireTime{static_cast<std::uint32_t>(total / nanoseconds_per_second),
                  static_cast<std::uint32_t>(total % nanoseconds_per_second)};
}

std::size_t string_size(std::size_t size) {
  return wire::size_of_number(size) + size;
}

// Checks one string and adds its size to `total`.
EncodeResult measure(std::string_view text, std::size_t& total) {
  switch (check_string(text)) {
    case StringFault::none:
      break;
    case StringFault::nul:
      return tl::unexpected(EncodeError::string_nul);
    case StringFault::not_utf8:
      return tl::unexpected(EncodeError::string_utf8);
  }
  total += string_size(text.size());
  return {};
}

EncodeResult measure(const std::optional<std::string_view>& text, std::size_t& total) {
  return text ? measure(*text, total) : EncodeResult{};
}

// The size of everything but header and CRC; checks every string on the way.
tl::expected<std::size_t, EncodeError> measure_fields(const Packet& packet) {
  if (!packet.file_content.empty() && !packet.file_name) {
    return tl::unexpected(EncodeError::nameless_file);
  }
  std::size_t total = 0;
  for (const auto* text :
       {&packet.test_id, &packet.mime_type, &packet.file_name, &packet.route_code}) {
    if (auto checked = measure(*text, total); !checked) return tl::unexpected(checked.error());
  }
  if (!packet.tags.empty()) total += wire::size_of_number(packet.tags.size());
  for (std::string_view tag : packet.tags) {
    if (auto checked = measure(tag, total); !checked) return tl::unexpected(checked.error());
  }
  if (packet.file_name) total += string_size(packet.file_content.size());
  return total;
}

unsigned flags_of(const Packet& packet) {
  return wire::version << 12 | static_cast<unsigned>(packet.status) |
         (packet.test_id ? wire::flag_test_id : 0u) |
         (packet.route_code ? wire::flag_route_code : 0u) |
         (packet.timestamp ? wire::flag_timestamp : 0u) |
         (packet.runnable ? wire::flag_runnable : 0u) |
         (packet.tags.empty() ? 0u : wire::flag_tags) |
         (packet.mime_type ? wire::flag_mime_type : 0u) |
         (packet.file_name ? wire::flag_file_content : 0u) | (packet.eof ? wire::flag_eof : 0u);
}

// The length field counts itself: sizes at which one more byte makes it longer do not occur.
std::size_t packet_size(std::size_t without_length) {
  std::size_t length_size = 1;
  while (wire::size_of_number(without_length + length_size) > length_size) ++length_size;
  return without_length + length_size;
}

std::byte* store_bytes(std::byte* at, const void* data, std::size_t size) {
  at = wire::store_number(at, static_cast<std::uint32_t>(size));
  if (size != 0) std::memcpy(at, data, size);
  return at + size;
}

std::byte* store_string(std::byte* at, const std::optional<std::string_view>& text) {
  return text ? store_bytes(at, text->data(), text->size()) : at;
}

std::byte* store_fields(std::byte* at, const Packet& packet, const WireTime& time) {
  if (packet.timestamp) {
    at = wire::store_number(wire::store_u32(at, time.seconds), time.nanoseconds);
  }
  at = store_string(at, packet.test_id);
  if (!packet.tags.empty()) {
    at = wire::store_number(at, static_cast<std::uint32_t>(packet.tags.size()));
  }
  for (std::string_view tag : packet.tags) at = store_bytes(at, tag.data(), tag.size());
  at = store_string(at, packet.mime_type);
  if (packet.file_name) {
    at = store_string(at, packet.file_name);
    at = store_bytes(at, packet.file_content.data(), packet.file_content.size());
  }
  return store_string(at, packet.route_code);
}

}  // namespace

EncodeResult encode(const Packet& packet, Bytes& out) {
  WireTime time{};
  std::size_t size = sizeof(wire::signature) + 2 + wire::crc_size;
  if (packet.timestamp) {
    const auto converted = to_wire(*packet.timestamp);
    if (!converted) return tl::unexpected(converted.error());
    time = *converted;
    size += 4 + wire::size_of_number(time.nanoseconds);
  }
  const auto fields = measure_fields(packet);
  if (!fields) return tl::unexpected(fields.error());
  if (*fields > max_packet_size) return tl::unexpected(EncodeError::too_large);
  size = packet_size(size + *fields);
  if (size > max_packet_size) return tl::unexpected(EncodeError::too_large);

  const std::size_t before = out.size();
  out.resize(before + size);
  std::byte* const begin = out.data() + before;
  std::byte* at = wire::store_u8(begin, std::to_integer<unsigned>(wire::signature));
  at = wire::store_u16(at, flags_of(packet));
  at = wire::store_number(at, static_cast<std::uint32_t>(size));
  at = store_fields(at, packet, time);
  wire::store_u32(at, crc32({begin, at}));
  return {};
}

EncodeResult encode_file(const Packet& packet, Bytes& out, std::size_t chunk) {
  const std::size_t before = out.size();
  Packet piece;
  piece.test_id = packet.test_id;
  piece.route_code = packet.route_code;
  piece.mime_type = packet.mime_type;
  piece.file_name = packet.file_name;
  Packet last = packet;
  last.file_content = {};
  const auto overhead = measure_fields(last);
  if (!overhead) return tl::unexpected(overhead.error());
  // What the fields leave of a packet, with the header, the timestamp and the lengths at their
  // longest.
  constexpr std::size_t fixed = 1 + 2 + 3 + 4 + 4 + 4 + wire::crc_size;
  if (*overhead + fixed >= max_packet_size) return tl::unexpected(EncodeError::too_large);
  const std::size_t room = std::clamp<std::size_t>(chunk, 1, max_packet_size - *overhead - fixed);
  ByteView rest = packet.file_content;
  EncodeResult result;
  for (; result && rest.size() > room; rest = rest.subspan(room)) {
    piece.file_content = rest.first(room);
    result = encode(piece, out);
  }
  last.file_content = rest;
  if (result) result = encode(last, out);
  if (!result) out.resize(before);
  return result;
}

}  // namespace hearth::protocol
