#include "shim/server_streams.hpp"

#include <doctest/doctest.h>

#include <cstring>

#include "protocol/rpc_packet.hpp"

using namespace hearth::protocol;
using hearth::shim::Noise;
using hearth::shim::ServerStreams;
using Mode = ServerStreams::Mode;
using Source = ServerStreams::Source;

namespace {

Bytes message(std::string_view json) {
  Bytes bytes;
  append_rpc_message(json, bytes);
  return bytes;
}

Bytes result(std::string_view id) {
  Bytes bytes;
  REQUIRE(encode({.status = TestStatus::success, .test_id = id}, bytes));
  return bytes;
}

void on_channel(ServerStreams& streams, ByteView bytes) {
  const auto room = streams.prepare_channel();
  REQUIRE(room.size() >= bytes.size());
  std::memcpy(room.data(), bytes.data(), bytes.size());
  streams.commit_channel(bytes.size());
}

void on_out(ServerStreams& streams, std::string_view text) {
  streams.take_out(as_bytes(text), false);
}

// What the client has been sent since, one word a packet: its id, or its file's name and content.
std::string sent(ServerStreams& streams) {
  streams.insert_noise(true);
  PacketDecoder decoder;
  decoder.feed(streams.client().view());
  decoder.finish();
  streams.client().consume(streams.client().size());
  std::string words;
  while (const auto event = decoder.next()) {
    if (!words.empty()) words += ' ';
    const auto* const packet = std::get_if<PacketView>(&*event);
    if (packet == nullptr) {
      words += "(foreign)";
    } else if (!packet->file_name) {
      words += *packet->test_id;
    } else {
      words += std::string(*packet->file_name) + '=' + std::string(as_text(packet->file_content));
      if (*packet->mime_type == "application/octet-stream") words += "(octets)";
      if (packet->eof && *packet->file_name != "message") words += '.';
    }
  }
  return words;
}

std::string text(const Bytes& bytes) {
  return std::string(as_text(bytes));
}

}  // namespace

TEST_CASE("ServerStreams: with the protocol on the channel, all else is noise") {
  ServerStreams streams;
  on_out(streams, "banner\n");
  CHECK(streams.mode() == Mode::undecided);
  CHECK(sent(streams) == "stdout=banner\n");
  on_channel(streams, message("{}"));
  CHECK(streams.mode() == Mode::channel);
  CHECK(sent(streams) == "message={}");
  // Also what looks like the protocol.
  const std::string fake = text(result("fake")) + "\n";
  on_out(streams, fake);
  streams.err().add("oops");
  on_channel(streams, result("true"));
  CHECK(sent(streams) == "stdout=" + fake + "(octets) stderr=oops true");
  streams.finish(true);
  CHECK(sent(streams) == "stdout=. stderr=.");
}

TEST_CASE("ServerStreams: an RPC packet on stdout, and nothing else, makes stdout the protocol") {
  ServerStreams streams;
  on_out(streams, text(result("some other program's")) + "\n");
  CHECK(streams.mode() == Mode::undecided);
  CHECK(sent(streams).starts_with("stdout="));
  on_out(streams, "hello\n" + text(message("{}")) + "noise" + text(result("a")));
  CHECK(streams.protocol_is_on(Source::out));
  CHECK(sent(streams) == "stdout=hello\n message={} stdout=noise a");
  on_out(streams, text(result("a")) + "behind it\n");
  CHECK(sent(streams) == "a stdout=behind it\n");
  Bytes damaged = result("b");
  damaged.back() ^= std::byte{1};
  on_out(streams, text(damaged) + text(result("c")));
  const std::string after = sent(streams);
  CHECK(after.starts_with("error=a damaged packet of the server's"));
  CHECK(after.ends_with(". c"));
  // Nothing but the protocol is on the channel, and that is elsewhere.
  on_channel(streams, result("stray"));
  on_channel(streams, result("stray"));
  CHECK(sent(streams).starts_with("error=the server speaks on its stdout"));
  CHECK(sent(streams).empty());
}

TEST_CASE("ServerStreams: a channel with other bytes in it is said so, and its packets are found") {
  ServerStreams streams;
  on_channel(streams, result("a"));
  CHECK(sent(streams) == "a");
  on_channel(streams, as_bytes(text(result("b")) + "print\n" + text(result("c"))));
  CHECK(streams.protocol_is_on(Source::channel));
  const std::string words = sent(streams);
  const std::size_t place = result("a").size() + result("b").size();
  CHECK(words.starts_with("b error=byte " + std::to_string(place) + " of the server's channel"));
  CHECK(words.ends_with(". stdout=print\n c"));
  on_channel(streams, as_bytes(text(result("d")) + "behind it\n"));
  CHECK(sent(streams) == "d stdout=behind it\n");
}

TEST_CASE("ServerStreams: noise waits for the end of a packet, and for a client that is behind") {
  ServerStreams streams;
  const Bytes one = result("a");
  on_channel(streams, ByteView(one).first(5));
  streams.client().consume(5);
  streams.err().add("in between");
  streams.say_error("trouble");
  streams.insert_noise(true);
  CHECK(streams.client().size() == 0);
  on_channel(streams, ByteView(one).subspan(5));
  streams.client().consume(one.size() - 5);
  CHECK(sent(streams) == "error=trouble. stderr=in between");
  streams.err().add(std::string(Noise::max_pending, 'x'));
  for (int i = 0; i < 5; ++i) streams.insert_noise(true);
  CHECK(streams.client().size() < 2 * ServerStreams::low_water);
  CHECK_FALSE(streams.may_read_protocol());
}
