// Where packets end in a stream of nothing but packets, told from their lengths, and which of them
// say only that a test has begun, told from their flags (spec/subunit-v2.md, section 1): no
// checksum is looked at, nothing behind the length is read.
#pragma once

#include <array>
#include <cstddef>

#include "protocol/subunit_v2.hpp"

namespace hearth::shim {

class PacketBoundaries {
 public:
  struct Taken {
    std::size_t size;            // of the bytes: all, or those up to where no packet begins
    std::size_t first_boundary;  // the first place among them where a packet has ended; 0: none
    bool only_begun;             // the packets that begin there say no more than that a test has
  };
  // The next bytes of the stream. Where not all are taken, the tracker is of no use from there on.
  [[nodiscard]] Taken take(protocol::ByteView bytes);

  // Bytes taken since the last boundary; 0: a packet has just ended, or none has begun.
  [[nodiscard]] std::size_t since_boundary() const { return m_since; }
  // Bytes that are missing from the packet that has begun, as far as is known.
  [[nodiscard]] std::size_t missing() const { return m_missing; }
  // As take(), of bytes that went elsewhere: at most missing().
  void skip(std::size_t size);

 private:
  enum class Verdict { more, packet, damage };
  [[nodiscard]] Verdict judge();

  std::array<std::byte, 6> m_header{};
  std::size_t m_header_size = 0;
  std::size_t m_missing = 0;
  std::size_t m_since = 0;
};

}  // namespace hearth::shim
