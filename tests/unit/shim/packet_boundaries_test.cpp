#include "shim/packet_boundaries.hpp"

#include <doctest/doctest.h>

using namespace hearth::protocol;
using hearth::shim::PacketBoundaries;
using namespace std::string_literals;

namespace {

Bytes packet(std::size_t content) {
  Bytes bytes;
  const std::string text(content, 'x');
  REQUIRE(encode({.test_id = "a", .file_name = "f", .file_content = as_bytes(text)}, bytes));
  return bytes;
}

}  // namespace

TEST_CASE("PacketBoundaries: every boundary is found, however the bytes come") {
  // Lengths of 1, 2 and 3 bytes.
  Bytes stream;
  std::vector<std::size_t> ends;
  for (const std::size_t content : {0, 30, 100, 20'000, 1}) {
    const Bytes one = packet(content);
    stream.insert(stream.end(), one.begin(), one.end());
    ends.push_back(stream.size());
  }
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, std::size_t{7}, stream.size()}) {
    PacketBoundaries boundaries;
    for (std::size_t at = 0; at < stream.size(); at += step) {
      const ByteView piece = ByteView(stream).subspan(at, std::min(step, stream.size() - at));
      const auto result = boundaries.take(piece);
      REQUIRE(result.size == piece.size());
      const std::size_t taken = at + piece.size();
      std::size_t first = 0;
      std::size_t last = 0;
      for (const std::size_t end : ends) {
        if (first == 0 && end > at) first = end;
        if (end <= taken) last = end;
      }
      REQUIRE(boundaries.since_boundary() == taken - last);
      REQUIRE(result.first_boundary == (first <= taken ? first - at : 0));
    }
    CHECK(boundaries.missing() == 0);
  }
}

TEST_CASE("PacketBoundaries: what went elsewhere counts") {
  const Bytes stream = packet(1000);
  PacketBoundaries boundaries;
  CHECK(boundaries.take(ByteView(stream).first(10)).size == 10);
  CHECK(boundaries.missing() == stream.size() - 10);
  boundaries.skip(boundaries.missing() - 1);
  CHECK(boundaries.since_boundary() == stream.size() - 1);
  boundaries.skip(1);
  CHECK(boundaries.since_boundary() == 0);
}

TEST_CASE("PacketBoundaries: a packet that says only that a test has begun is told from others") {
  const std::string_view tag = "w";
  const Packet begun = {.status = TestStatus::inprogress, .test_id = "a"};
  Packet more = begun;
  more.timestamp = Timestamp{};
  more.tags = {&tag, 1};
  Packet with_file = begun;
  with_file.file_name = "f";
  with_file.file_content = as_bytes(tag);
  const std::vector<std::pair<Packet, bool>> cases = {
      {begun, true},
      {more, true},
      {with_file, false},
      {{.test_id = "a"}, false},
      {{.status = TestStatus::success, .test_id = "a"}, false},
      {{.status = TestStatus::exists, .test_id = "a"}, false},
  };
  for (const auto& [fields, only_begun] : cases) {
    Bytes bytes;
    REQUIRE(encode(fields, bytes));
    PacketBoundaries at_once;
    CHECK(at_once.take(bytes).only_begun == only_begun);
    // The flags come one by one; the byte that ends the header tells.
    PacketBoundaries slowly;
    bool all = true;
    for (const std::byte& byte : bytes) all = slowly.take({&byte, 1}).only_begun && all;
    CHECK(all == only_begun);
  }
}

TEST_CASE("PacketBoundaries: what begins no packet is shown where it begins") {
  const Bytes whole = packet(10);
  const std::vector<std::string> wrong = {
      "x",                  // no signature
      "\xb3\x30",           // another version
      "\xb3\x28\x08",       // the reserved flag
      "\xb3\x28\x00\xff"s,  // a length of four bytes
      "\xb3\x28\x00\x07"s,  // shorter than its own header and checksum
  };
  for (const std::string& bad : wrong) {
    CAPTURE(bad);
    Bytes stream = whole;
    const ByteView bad_bytes = as_bytes(bad);
    stream.insert(stream.end(), bad_bytes.begin(), bad_bytes.end());
    PacketBoundaries at_once;
    CHECK(at_once.take(stream).size == whole.size());
    // One byte at a time: those of the header that came before have gone already.
    PacketBoundaries slowly;
    std::size_t taken = 0;
    while (taken < stream.size() && slowly.take(ByteView(stream).subspan(taken, 1)).size == 1) {
      ++taken;
    }
    CHECK(taken == stream.size() - 1);
  }
}
