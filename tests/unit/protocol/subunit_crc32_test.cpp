#include <doctest/doctest.h>

#include "protocol/crc32.hpp"
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
