#include <doctest/doctest.h>

#include <algorithm>

#include "protocol/crc32.hpp"
#include "protocol/crc_index.hpp"
#include "protocol/subunit_v2.hpp"

using namespace hearth::protocol;

TEST_CASE("CRC-32: the check value of its definition") {
  CHECK(crc32(as_bytes("123456789")) == 0xCBF43926);
  CHECK(crc32({}) == 0);
}

TEST_CASE("CRC-32: continues from what came before") {
  CHECK(crc32(as_bytes("56789"), crc32(as_bytes("1234"))) == 0xCBF43926);
}

TEST_CASE("CRC-32: a suffix's value follows from the whole's and the prefix's, at every length") {
  Bytes bytes(70'000);
  std::uint32_t state = 1;
  for (auto& byte : bytes) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::byte>(state >> 24);
  }
  const ByteView whole = bytes;
  const std::uint32_t crc_whole = crc32(whole);
  for (std::size_t cut = 0; cut <= whole.size(); cut += cut < 600 ? 1 : 997) {
    const ByteView suffix = whole.subspan(cut);
    CHECK(crc32_of_suffix(crc_whole, crc32(whole.first(cut)), suffix.size()) == crc32(suffix));
  }
}

TEST_CASE("CRC-32: a suffix of many megabytes") {
  Bytes bytes(9 * 1024 * 1024 + 17, std::byte{0xB3});
  const ByteView whole = bytes;
  CHECK(crc32_of_suffix(crc32(whole), crc32(whole.first(5)), whole.size() - 5) ==
        crc32(whole.subspan(5)));
}

TEST_CASE("CRC index: ranges of a long stream, with gaps, while the buffer moves on") {
  constexpr std::size_t piece = 300'000;
  ReceiveBuffer buffer;
  CrcIndex index;
  std::uint32_t state = 1;
  const auto random = [&](std::uint32_t below) {
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
  };
  std::uint64_t from = 0;
  for (int round = 0; round < 150; ++round) {  // beyond what one origin reaches, twice
    const auto room = buffer.prepare(piece);
    std::fill_n(room.begin(), piece, std::byte{0});
    for (std::size_t at = 0; at < piece; at += 4) {
      room[at] = static_cast<std::byte>(random(256));
    }
    buffer.commit(piece);
    // Now and then a long stretch is skipped, as if whole packets had been there.
    if (round % 10 == 9) from = buffer.end() - random(1000);
    for (int range = 0; range < 20; ++range) {
      const auto left = static_cast<std::uint32_t>(buffer.end() - from);
      const std::uint64_t to = from + random(left + 1);
      REQUIRE(index.crc_of(buffer, from, to) == crc32(buffer.bytes(from, to)));
      from += random(left / 20 + 1);
    }
    buffer.consume_until(from);
  }
  CHECK(buffer.begin() > 40'000'000);
}

TEST_CASE("Receive buffer: what was consumed last stays readable") {
  ReceiveBuffer buffer;
  for (unsigned round = 0; round < 3000; ++round) {
    const auto room = buffer.prepare(100);
    for (std::size_t at = 0; at < 100; ++at) {
      room[at] = static_cast<std::byte>((round * 100 + at) % 251);
    }
    buffer.commit(100);
    buffer.consume_until(buffer.end() - 7);
    const std::uint64_t history = std::min<std::uint64_t>(buffer.begin(), ReceiveBuffer::history);
    REQUIRE(buffer.first_readable() <= buffer.begin() - history);
    for (std::uint64_t at = buffer.begin() - history; at < buffer.end(); ++at) {
      REQUIRE(*buffer.at(at) == static_cast<std::byte>(at % 251));
    }
  }
  CHECK(buffer.capacity() <= 128 * 1024);
}
