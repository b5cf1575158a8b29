#include "shim/client_stream.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <random>

using namespace hearth::protocol;
using hearth::shim::ClientStream;

namespace {

Bytes packet(std::string_view id, std::size_t content) {
  Bytes bytes;
  const std::string text(content, 'x');
  REQUIRE(encode({.test_id = id, .file_name = "f", .file_content = as_bytes(text)}, bytes));
  return bytes;
}

bool put(ClientStream& stream, ByteView bytes) {
  const auto room = stream.prepare(bytes.size() + 10);
  std::memcpy(room.data(), bytes.data(), bytes.size());
  return stream.commit(bytes.size());
}

// The ids of the packets in it; anything else is "?".
std::string ids(ByteView bytes) {
  std::string ids;
  PacketDecoder decoder;
  decoder.feed(bytes);
  decoder.finish();
  while (const auto event = decoder.next()) {
    const auto* const packet = std::get_if<PacketView>(&*event);
    ids += packet == nullptr ? "?" : std::string(*packet->test_id);
  }
  return ids;
}

}  // namespace

TEST_CASE("ClientStream: our packets come between the server's, wherever reads and writes end") {
  std::minstd_rand random(1);
  const auto below = [&random](std::size_t limit) { return random() % limit; };
  const Bytes ours = packet("o", 5);
  for (int round = 0; round < 200; ++round) {
    Bytes server;
    for (int i = 0; i < 30; ++i) {
      const Bytes one = packet("s", below(4) == 0 ? below(3000) : below(60));
      server.insert(server.end(), one.begin(), one.end());
    }
    ClientStream stream;
    Bytes out;
    std::size_t inserted = 0;
    const auto take = [&](std::size_t size) {
      const ByteView view = stream.view().first(size);
      out.insert(out.end(), view.begin(), view.end());
      stream.consume(size);
    };
    for (std::size_t at = 0; at < server.size();) {
      const std::size_t size = std::min(1 + below(500), server.size() - at);
      REQUIRE(put(stream, ByteView(server).subspan(at, size)));
      at += size;
      while (below(2) == 0 && stream.can_insert()) {
        stream.insert(ours);
        ++inserted;
      }
      take(below(stream.size() + 1));
      if (below(3) == 0) take(stream.size());
    }
    take(stream.size());
    CHECK(stream.can_insert());
    const std::string seen = ids(out);
    CHECK(static_cast<std::size_t>(std::count(seen.begin(), seen.end(), 's')) == 30);
    CHECK(static_cast<std::size_t>(std::count(seen.begin(), seen.end(), 'o')) == inserted);
    CHECK(seen.size() == 30 + inserted);
  }
}

TEST_CASE("ClientStream: what is put in comes before what was read last, and in its own order") {
  ClientStream stream;
  REQUIRE(put(stream, packet("a", 1)));
  const Bytes b = packet("b", 100);
  Bytes begun = packet("c", 1);
  begun.insert(begun.end(), b.begin(), b.begin() + 50);
  REQUIRE(put(stream, begun));
  stream.insert(packet("1", 1));
  stream.insert(packet("2", 1));
  REQUIRE(put(stream, ByteView(b).subspan(50)));  // no boundary before it: behind
  stream.insert(packet("3", 1));
  stream.begin_append();
  stream.append(packet("d", 1));
  stream.insert(packet("4", 1));
  CHECK(ids(stream.view()) == "a12cb34d");
}

TEST_CASE("ClientStream: in the middle of a packet nothing can be put in") {
  const Bytes one = packet("server", 100);
  ClientStream stream;
  CHECK(stream.can_insert());
  REQUIRE(put(stream, ByteView(one).first(50)));
  CHECK(stream.can_insert());  // before it
  stream.consume(1);
  CHECK_FALSE(stream.can_insert());
  stream.consume(49);
  CHECK_FALSE(stream.can_insert());
  CHECK(stream.bypass() == one.size() - 50);
  stream.bypassed(one.size() - 51);
  CHECK_FALSE(stream.can_insert());
  stream.bypassed(1);
  CHECK(stream.can_insert());
  CHECK(stream.bypass() == 0);
}

TEST_CASE("ClientStream: whole packets that say only that tests have begun, and nothing else") {
  Bytes begun;
  REQUIRE(encode({.status = TestStatus::inprogress, .test_id = "b"}, begun));
  ClientStream stream;
  CHECK_FALSE(stream.only_begun());  // there is nothing
  REQUIRE(put(stream, begun));
  CHECK(stream.only_begun());
  REQUIRE(put(stream, ByteView(begun).first(9)));
  CHECK_FALSE(stream.only_begun());
  REQUIRE(put(stream, ByteView(begun).subspan(9)));
  stream.consume(stream.size());
  REQUIRE(put(stream, begun));
  CHECK(stream.only_begun());

  SUBCASE("another packet of the server's") {
    REQUIRE(put(stream, packet("s", 1)));
  }
  SUBCASE("one of ours") {
    stream.insert(packet("o", 1));
  }
  SUBCASE("one that came in another way") {
    stream.append(begun);
  }
  CHECK_FALSE(stream.only_begun());
  stream.consume(stream.size());
  CHECK_FALSE(stream.only_begun());
  REQUIRE(put(stream, begun));
  CHECK(stream.only_begun());
}

TEST_CASE("ClientStream: what is no packet is given back") {
  const Bytes one = packet("server", 3);
  Bytes bytes = one;
  const ByteView banner = as_bytes("hello");
  bytes.insert(bytes.end(), banner.begin(), banner.end());
  ClientStream stream;
  CHECK_FALSE(put(stream, bytes));
  CHECK(as_text(stream.rejected()) == "hello");
  CHECK(stream.size() == one.size());
  CHECK(stream.can_insert());
}
