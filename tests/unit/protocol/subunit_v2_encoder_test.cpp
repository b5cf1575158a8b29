#include <doctest/doctest.h>

#include <string>

#include "protocol/crc32.hpp"
#include "protocol/subunit_v2.hpp"

using namespace hearth::protocol;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

Bytes encoded(const Packet& packet) {
  Bytes out;
  REQUIRE(encode(packet, out));
  return out;
}

EncodeError refused(const Packet& packet) {
  Bytes out(3);
  const EncodeResult result = encode(packet, out);
  REQUIRE_FALSE(result);
  CHECK(out.size() == 3);
  return result.error();
}

Packet file_of(ByteView content) {
  Packet packet;
  packet.test_id = "a";
  packet.file_name = "log";
  packet.file_content = content;
  return packet;
}

}  // namespace

TEST_CASE("Encoder: the empty packet is the smallest") {
  const Bytes out = encoded({});
  CHECK(out.size() == min_packet_size);
  CHECK(as_text(out).substr(0, 4) == "\xB3\x20\x00\x08"s);
}

TEST_CASE("Encoder: appends behind what is there") {
  Bytes out = encoded({});
  REQUIRE(encode({}, out));
  CHECK(out.size() == 2 * min_packet_size);
}

TEST_CASE("Encoder: the length field is as short as it can be, and counts itself") {
  for (std::size_t content : {40u, 45u, 46u, 47u, 48u, 49u, 50u, 16360u, 16361u, 16362u, 16363u,
                              16364u, 16365u, 16366u, 16367u, 70000u}) {
    CAPTURE(content);
    const Bytes bytes(content);
    const Bytes out = encoded(file_of(bytes));
    const auto first = std::to_integer<std::size_t>(out[3]);
    const std::size_t size = (first >> 6) + 1;
    std::size_t length = first & 0x3F;
    for (std::size_t i = 1; i < size; ++i)
      length = length << 8 | std::to_integer<std::size_t>(out[3 + i]);
    CHECK(length == out.size());
    CHECK(size == (length < 64 ? 1u : length < 16384 ? 2u : 3u));
  }
}

TEST_CASE("Encoder: the largest packet, and one byte more") {
  const Bytes probe = encoded(file_of({}));
  // Header and numbers grow by 2 (length field) and by 2 (content size).
  const std::size_t room = max_packet_size - probe.size() - 4;
  Bytes content(room);
  CHECK(encoded(file_of(content)).size() == max_packet_size);
  content.resize(room + 1);
  CHECK(refused(file_of(content)) == EncodeError::too_large);
}

TEST_CASE("Encoder: refuses strings that no reader accepts") {
  Packet packet;
  packet.test_id = std::string_view("a\0b", 3);
  CHECK(refused(packet) == EncodeError::string_nul);
  packet.test_id = "\xFF";
  CHECK(refused(packet) == EncodeError::string_utf8);
  packet.test_id = "fine";
  const std::string_view tags[] = {"good", "\xC3"};
  packet.tags = tags;
  CHECK(refused(packet) == EncodeError::string_utf8);
}

TEST_CASE("Encoder: timestamps from 1970 to 2106") {
  Packet packet;
  packet.timestamp = Timestamp(0s);
  CHECK(encoded(packet).size() == min_packet_size + 5);
  packet.timestamp = Timestamp(4294967295s + 999999999ns);
  CHECK(encoded(packet).size() == min_packet_size + 8);
  packet.timestamp = Timestamp(4294967296s);
  CHECK(refused(packet) == EncodeError::timestamp_range);
  packet.timestamp = Timestamp(-1ns);
  CHECK(refused(packet) == EncodeError::timestamp_range);
}

TEST_CASE("Encoder: content needs a file name") {
  Packet packet;
  packet.file_content = as_bytes("lost");
  CHECK(refused(packet) == EncodeError::nameless_file);
}
