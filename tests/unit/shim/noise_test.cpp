#include "shim/noise.hpp"

#include <doctest/doctest.h>

#include "protocol/rpc_packet.hpp"

using namespace hearth::protocol;
using hearth::shim::Noise;

TEST_CASE("Noise: what was dropped is counted where it is missing, and no character is torn") {
  Noise noise("stderr");
  noise.add(std::string(Noise::max_pending - 1, 'x') + "\xc3");
  CHECK(noise.room() == 0);
  noise.drop("\xa4\x62\x63");
  noise.drop(std::string(1000, 'y'));
  Bytes packets;
  noise.take(2 * Noise::max_pending, packets);
  CHECK_FALSE(noise.pending());
  noise.add("\x80z");
  CHECK(
      noise.raw() ==
      "\n[hearth-shim: 1005 bytes of output were dropped here, since the client did not read]\nz");
  CHECK(noise.tail().ends_with("yyy\x80z"));
}

TEST_CASE("Noise: each packet has the type of what is in it") {
  const auto types = [](std::initializer_list<std::string_view> pieces) {
    Noise noise("stdout");
    Bytes packets;
    for (const std::string_view piece : pieces) {
      noise.add(piece);
      noise.take(1000, packets);
    }
    noise.finish(packets);
    PacketDecoder decoder;
    decoder.feed(packets);
    std::string seen;
    while (const auto event = decoder.next()) {
      const auto& packet = std::get<PacketView>(*event);
      seen += *packet.mime_type == text_mime_type ? 't' : 'o';
      seen += std::string(as_text(packet.file_content)) + (packet.eof ? "." : " ");
    }
    return seen;
  };
  CHECK(types({}).empty());
  CHECK(types({"a"}) == "ta t.");
  CHECK(types({"caf\xc3", "\xa9!"}) == "tcaf t\xc3\xa9! t.");
  CHECK(types({"caf\xe9 ", "plain"}) == "ocaf\xe9  tplain t.");
  CHECK(types({"caf\xe9"}) == "tcaf o\xe9.");
}

TEST_CASE("Noise: the last of it is kept, however much comes") {
  Noise noise("stderr");
  for (int i = 0; i < 1000; ++i) noise.add("line " + std::to_string(i) + "\n");
  CHECK(noise.tail().size() == Noise::max_tail);
  CHECK(noise.tail().ends_with("line 998\nline 999\n"));
}
