#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <string>

#include "tests/support/subunit/reference_decoder.hpp"
#include "tests/unit/protocol/subunit_vectors.hpp"

using namespace hearth::protocol;
using namespace hearth::protocol::test;

namespace {

void drain(PacketDecoder& decoder, Json& events) {
  while (const auto event = decoder.next()) append_event(events, *event);
}

// The events of a stream that arrives in these pieces.
Json decode(std::initializer_list<ByteView> pieces) {
  PacketDecoder decoder;
  Json events = Json::array();
  for (ByteView piece : pieces) {
    decoder.feed(piece);
    drain(decoder, events);
  }
  decoder.finish();
  drain(decoder, events);
  return events;
}

std::size_t bytes_in(const Json& events) {
  std::size_t digits = 0;
  for (const Json& event : events) {
    digits += event[event.contains("text") ? "text" : "hex"].get_ref<const std::string&>().size();
  }
  return digits / 2;
}

Bytes packet_with(std::string_view test_id, ByteView content = {}) {
  Packet packet;
  packet.test_id = test_id;
  if (!content.empty()) {
    packet.file_name = "f";
    packet.file_content = content;
  }
  Bytes out;
  REQUIRE(encode(packet, out));
  return out;
}

void append(Bytes& to, ByteView bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}
void append(Bytes& to, std::string_view text) {
  append(to, as_bytes(text));
}

constexpr std::size_t byte_by_byte[] = {1};

}  // namespace

TEST_CASE("Decoder: every packet of the vectors, and its tags by iteration") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/packets.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const Json events = decode({from_hex(vector["hex"].get<std::string>())});
    REQUIRE(events.size() == 1);
    CHECK(events[0]["packet"] == vector["packet"]);
  }
}

TEST_CASE("Encoder: every canonical packet of the vectors") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/packets.json")) {
    CAPTURE(vector["name"].get<std::string>());
    Bytes out;
    REQUIRE(encode(OwnedPacket(vector["packet"]).get(), out));
    if (vector["canonical"].get<bool>()) CHECK(to_hex(out) == vector["hex"]);
  }
}

TEST_CASE("Decoder: every stream of the vectors, whole and byte by byte") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const Bytes stream = from_hex(vector["hex"].get<std::string>());
    CHECK(decode({stream}) == vector["events"]);
    CHECK(decode_spans(stream, byte_by_byte) == reference_decode(stream));
  }
}

TEST_CASE("Decoder: every stream of the vectors, at every split point") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const Bytes stream = from_hex(vector["hex"].get<std::string>());
    const ByteView view = stream;
    for (std::size_t split = 0; split <= stream.size(); ++split) {
      CAPTURE(split);
      REQUIRE(decode({view.first(split), view.subspan(split)}) == vector["events"]);
    }
  }
}

TEST_CASE("Decoder: every stream of the vectors, truncated at every byte") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    const Bytes stream = from_hex(vector["hex"].get<std::string>());
    for (std::size_t size = 0; size <= stream.size(); ++size) {
      CAPTURE(size);
      const ByteView cut = ByteView(stream).first(size);
      const auto expected = reference_decode(cut);
      REQUIRE(decode_spans(cut, {}) == expected);
      REQUIRE(decode_spans(cut, byte_by_byte) == expected);
      REQUIRE(bytes_in(decode({cut})) == size);
    }
  }
}

TEST_CASE("Decoder: every stream of the vectors with every bit flipped in turn") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/streams.json")) {
    CAPTURE(vector["name"].get<std::string>());
    Bytes stream = from_hex(vector["hex"].get<std::string>());
    for (std::size_t bit = 0; bit < stream.size() * 8; ++bit) {
      CAPTURE(bit);
      const auto mask = static_cast<std::byte>(1 << bit % 8);
      stream[bit / 8] ^= mask;
      REQUIRE(decode_spans(stream, {}) == reference_decode(stream));
      stream[bit / 8] ^= mask;
    }
  }
}

TEST_CASE("Decoder: waiting, giving up, ends of streams, as in the vectors") {
  for (const Json& vector : read_subunit_vectors("subunit-v2/waiting.json")) {
    CAPTURE(vector["name"].get<std::string>());
    PacketDecoder decoder;
    for (const Json& step : vector["steps"]) {
      CAPTURE(step.dump());
      if (step.contains("feed")) decoder.feed(from_hex(step["feed"].get<std::string>()));
      if (step.contains("give_up")) decoder.give_up_waiting();
      if (step.contains("end")) decoder.finish();
      Json events = Json::array();
      drain(decoder, events);
      CHECK(events == step["events"]);
      CHECK(decoder.waiting() == step["waiting"].get<bool>());
    }
  }
}

TEST_CASE("Decoder: random mixtures of packets, damage and noise, in random pieces") {
  std::mt19937 random(20261120);
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  const Bytes good = packet_with("test");
  const Bytes holder = packet_with("holder", good);
  const std::string_view noises[] = {"text",         "\n",
                                     "\xB3",         "\xC2",
                                     "\xB3\x20",     "\xB3\x2F\x40\x40\xFF",
                                     "\xB3\x20\x08", "\xB3\x21\x10\x20",
                                     "\xE2\x82"};
  for (int round = 0; round < 3000; ++round) {
    Bytes stream;
    for (std::size_t parts = 1 + below(12); parts > 0; --parts) {
      const Bytes& packet = below(2) == 0 ? good : holder;
      switch (below(5)) {
        case 0:
          append(stream, noises[below(std::size(noises))]);
          break;
        case 1:
          append(stream, ByteView(packet).first(below(packet.size())));
          break;
        case 2:
          append(stream, ByteView(packet).subspan(below(packet.size())));
          break;
        case 3:
          append(stream, packet);
          stream[stream.size() - 1 - below(packet.size())] ^= static_cast<std::byte>(1 << below(8));
          break;
        default:
          append(stream, packet);
      }
    }
    std::vector<std::size_t> pieces(1 + below(4));
    for (auto& piece : pieces) piece = 1 + below(30);
    CAPTURE(to_hex(stream));
    const auto expected = reference_decode(stream);
    REQUIRE(decode_spans(stream, {}) == expected);
    REQUIRE(decode_spans(stream, pieces) == expected);
  }
}

TEST_CASE("Decoder: the largest packet, in pieces, through prepare() and commit()") {
  Bytes content(max_packet_size - 64, std::byte{0xB3});
  const Bytes packet = packet_with("large", content);
  CHECK(packet.size() > max_packet_size - 64);
  PacketDecoder decoder;
  std::optional<DecodeEvent> event;
  for (std::size_t at = 0; at < packet.size();) {
    CHECK_FALSE(event);
    const std::size_t size = std::min<std::size_t>(65536, packet.size() - at);
    const auto room = decoder.prepare(size);
    REQUIRE(room.size() >= size);
    std::copy_n(packet.begin() + static_cast<std::ptrdiff_t>(at), size, room.begin());
    decoder.commit(size);
    at += size;
    event = decoder.next();
  }
  REQUIRE(event);
  const auto* view = std::get_if<PacketView>(&*event);
  REQUIRE(view != nullptr);
  CHECK(std::ranges::equal(view->file_content, content));
  CHECK(view->wire.size() == packet.size());
  CHECK_FALSE(decoder.waiting());
}

// The work for these streams would be some 10^13 bytes of checksums if each candidate were summed
// by itself: the test would not come back.
TEST_CASE("Decoder: candidates of 4 MiB at every fourth byte take linear time") {
  Bytes stream;
  for (int i = 0; i < 3 * 1024 * 1024; ++i) append(stream, "\xB3\x20\x20\xBF");
  const Bytes good = packet_with("behind");
  append(stream, "\n");
  append(stream, good);
  Json last;
  std::size_t seen = 0;
  PacketDecoder decoder;
  ByteView rest = stream;
  const auto drain_all = [&] {
    while (const auto event = decoder.next()) {
      const Json json = to_json(*event);
      seen += json[json.contains("text") ? "text" : "hex"].get_ref<const std::string&>().size() / 2;
      last = json;
    }
  };
  while (!rest.empty()) {
    const std::size_t size = std::min<std::size_t>(rest.size(), 100'000);
    decoder.feed(rest.first(size));
    rest = rest.subspan(size);
    drain_all();
  }
  decoder.finish();
  drain_all();
  CHECK(seen == stream.size());
  CHECK(last["hex"] == to_hex(good));
}

TEST_CASE("Decoder: candidates nested in one another, then a good one, byte by byte") {
  // Each claims to end where the good one does, so that all are looked at when that arrives.
  const Bytes good = packet_with("innermost");
  constexpr std::size_t count = 3000;
  Bytes stream;
  for (std::size_t left = count; left > 0; --left) {
    const std::size_t length = left * 6 + good.size();
    append(stream, "\xB3\x20\x40");
    stream.push_back(static_cast<std::byte>(0x80 | length >> 16));
    stream.push_back(static_cast<std::byte>(length >> 8));
    stream.push_back(static_cast<std::byte>(length));
  }
  append(stream, good);
  PacketDecoder decoder;
  for (std::size_t at = 0; at + 1 < stream.size(); ++at) {
    decoder.feed(ByteView(stream).subspan(at, 1));
    REQUIRE_FALSE(decoder.next());
    REQUIRE(decoder.waiting() == true);
  }
  decoder.feed(ByteView(stream).last(1));
  Json events = Json::array();
  drain(decoder, events);
  REQUIRE(events.size() == 2);
  CHECK(events[0]["damaged"] == "checksum");
  CHECK(events[1]["packet"]["test_id"] == "innermost");
}

TEST_CASE("Decoder: a stream much longer than any buffer of it") {
  const Bytes packet = packet_with("again");
  Bytes piece;
  for (int i = 0; i < 1000; ++i) append(piece, packet);
  PacketDecoder decoder;
  std::size_t packets = 0;
  std::size_t largest_room = 0;
  for (int round = 0; round < 2000; ++round) {
    const auto room = decoder.prepare(piece.size());
    largest_room = std::max(largest_room, room.size());
    std::ranges::copy(piece, room.begin());
    // Never a whole number of packets: the rest is carried over.
    decoder.commit(piece.size() - (round == 0 ? 1 : 0));
    if (round == 0) continue;
    while (const auto event = decoder.next()) packets += std::holds_alternative<PacketView>(*event);
  }
  CHECK(packets == 1000u * 1999 + 999);
  CHECK(largest_room < 1024 * 1024);
}

TEST_CASE("Encoder: a file is split, and its end said once") {
  Bytes content(2500);
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<std::byte>(i * 7);
  const std::string_view tags[] = {"t"};
  Packet packet;
  packet.status = TestStatus::fail;
  packet.runnable = true;
  packet.test_id = "id";
  packet.route_code = "1";
  packet.timestamp = Timestamp(std::chrono::seconds(5));
  packet.tags = tags;
  packet.mime_type = "text/plain";
  packet.file_name = "log";
  packet.file_content = content;
  packet.eof = true;
  Bytes out;
  REQUIRE(encode_file(packet, out, 1000));
  const Json events = decode({out});
  REQUIRE(events.size() == 3);
  const Json plain = {
      {"test_id", "id"}, {"route_code", "1"}, {"mime_type", "text/plain"}, {"file_name", "log"}};
  std::string joined;
  for (int i = 0; i < 3; ++i) {
    Json piece = events[static_cast<std::size_t>(i)]["packet"];
    joined += piece["content"].get<std::string>();
    piece.erase("content");
    if (i < 2) {
      CHECK(piece == plain);
    } else {
      CHECK(piece["status"] == "fail");
      CHECK(piece["eof"] == true);
      CHECK(piece["runnable"] == true);
      CHECK(piece["tags"] == Json{"t"});
      CHECK(piece["timestamp"] == Json{5, 0});
    }
  }
  CHECK(joined == to_hex(content));
}

TEST_CASE("Encoder: a file is one packet where it fits, also an empty one") {
  Packet packet;
  packet.file_name = "log";
  packet.eof = true;
  Bytes out;
  REQUIRE(encode_file(packet, out));
  const Bytes content(1000);
  packet.file_content = content;
  REQUIRE(encode_file(packet, out, 1000));
  CHECK(decode({out}).size() == 2);
}

TEST_CASE("Encoder: a file with the largest chunk fills packets to their limit") {
  const Bytes content(9 * 1024 * 1024, std::byte{'x'});
  Packet packet;
  packet.test_id = "id";
  packet.file_name = "log";
  packet.file_content = content;
  Bytes out;
  REQUIRE(encode_file(packet, out, max_packet_size));
  const auto spans = decode_spans(out, {});
  CHECK(spans.size() == 3);
  for (const Span& span : spans) CHECK(span.kind == Span::Kind::packet);
}

TEST_CASE("Encoder: a file that cannot be sent leaves nothing behind") {
  const Bytes content(3000);
  Packet packet;
  packet.file_name = "log";
  packet.file_content = content;
  packet.timestamp = Timestamp(std::chrono::seconds(-1));
  Bytes out(3);
  CHECK(encode_file(packet, out, 1000).error() == EncodeError::timestamp_range);
  CHECK(out.size() == 3);
  const std::string long_id(max_packet_size, 'a');
  packet.test_id = long_id;
  CHECK(encode_file(packet, out).error() == EncodeError::too_large);
  packet.test_id = std::nullopt;
  packet.file_name = std::nullopt;
  packet.timestamp = std::nullopt;
  CHECK(encode_file(packet, out, 1000).error() == EncodeError::nameless_file);
  CHECK(out.size() == 3);
}
