// The subunit v2 decoder, against the reference decoder, in whatever pieces; and the encoder, by
// encoding again what was decoded.
#include <algorithm>
#include <vector>

#include "protocol/crc32.hpp"
#include "tests/fuzz/fuzz.hpp"
#include "tests/support/subunit/reference_decoder.hpp"

namespace {

using namespace hearth::protocol;
using namespace hearth::protocol::test;
using hearth::fuzz::require;

constexpr std::size_t longest = 4096;  // the reference decoder is slow

// Gives what looks like a packet the checksum that it lacks: no fuzzer finds that by itself.
void repair_checksums(Bytes& stream) {
  for (std::size_t at = 0; at + min_packet_size <= stream.size(); ++at) {
    if (stream[at] != std::byte{0xB3} || (stream[at + 1] & std::byte{0xF0}) != std::byte{0x20}) {
      continue;
    }
    const auto length = std::to_integer<std::size_t>(stream[at + 3]);
    const std::size_t size =
        length < 0x40 ? length
                      : (length & 0x3F) << 8 | std::to_integer<std::size_t>(stream[at + 4]);
    if (length >= 0x80 || size < min_packet_size || at + size > stream.size()) continue;
    const std::uint32_t crc = crc32(ByteView(stream).subspan(at, size - 4));
    for (std::size_t i = 0; i < 4; ++i) {
      stream[at + size - 4 + i] = static_cast<std::byte>(crc >> (24 - 8 * i));
    }
    at += size - 1;
  }
}

// What was decoded can be encoded, and is then decoded to the same.
void check_encoding(const PacketView& view) {
  std::vector<std::string_view> tags(view.tags.begin(), view.tags.end());
  Packet packet;
  packet.status = view.status;
  packet.runnable = view.runnable;
  packet.eof = view.eof;
  packet.test_id = view.test_id;
  packet.route_code = view.route_code;
  packet.timestamp = view.timestamp;
  packet.tags = tags;
  packet.mime_type = view.mime_type;
  packet.file_name = view.file_name;
  packet.file_content = view.file_content;
  Bytes encoded;
  const EncodeResult result = encode(packet, encoded);
  // Nanoseconds that are carried over may lead past the last second that there is.
  if (!result) {
    require(result.error() == EncodeError::timestamp_range, "a decoded packet was refused");
    return;
  }
  PacketDecoder decoder;
  decoder.feed(encoded);
  const auto event = decoder.next();
  require(event && std::holds_alternative<PacketView>(*event), "an encoded packet was not found");
  require(to_json(std::get<PacketView>(*event)) == to_json(view), "a packet changed on its way");
}

void check_packets(ByteView stream) {
  PacketDecoder decoder;
  decoder.feed(stream);
  while (const auto event = decoder.next()) {
    if (const auto* packet = std::get_if<PacketView>(&*event)) check_encoding(*packet);
  }
}

// Giving up often must not lose a byte.
void check_giving_up(ByteView stream, std::size_t piece) {
  PacketDecoder decoder;
  std::size_t seen = 0;
  const auto drain = [&] {
    while (const auto event = decoder.next()) {
      seen += std::visit(
          [](const auto& e) {
            if constexpr (requires { e.wire; }) {
              return e.wire.size();
            } else {
              return e.bytes.size();
            }
          },
          *event);
    }
  };
  for (ByteView rest = stream; !rest.empty();) {
    const std::size_t size = std::min(piece, rest.size());
    decoder.feed(rest.first(size));
    rest = rest.subspan(size);
    drain();
    decoder.give_up_waiting();
    drain();
  }
  decoder.finish();
  drain();
  require(seen == stream.size(), "bytes were lost in giving up");
}

}  // namespace

// The first byte says how to feed the rest, and whether to repair checksums.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const auto rest = hearth::fuzz::input(data + 1, std::min(size - 1, longest));
  Bytes stream(rest.begin(), rest.end());
  if ((choice & 1) != 0) repair_checksums(stream);
  const std::size_t pieces[] = {1 + (choice >> 1) % 8, 1 + (choice >> 4)};
  const auto expected = reference_decode(stream);
  require(decode_spans(stream, {}) == expected, "whole: not what the reference decoder says");
  require(decode_spans(stream, pieces) == expected, "pieces: not what the reference decoder says");
  check_packets(stream);
  check_giving_up(stream, pieces[0] * 5);
  return 0;
}
