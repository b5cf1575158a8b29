// Reads one subunit v2 packet that lies whole in memory. spec/subunit-v2.md, "Packets".
#pragma once

#include <optional>

#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

// What the bytes from a signature on say about themselves.
struct Header {
  enum class Kind : std::uint8_t {
    text,        // no packet of version 2 begins here
    incomplete,  // `size` bytes are needed to say more
    damaged,     // `reason`; `size` bytes were looked at
    packet,      // claims `size` bytes, all of which are there
  };
  Kind kind;
  std::size_t size = 0;
  Damage reason = Damage::packet_length;
};

class PacketParser {
 public:
  // `bytes` begins with a signature. More bytes never change a verdict other than `incomplete`.
  [[nodiscard]] static Header read_header(ByteView bytes);

  // `packet`: header said it is a packet, and its checksum holds. Fills `view`, or says why not.
  [[nodiscard]] static std::optional<Damage> parse(ByteView packet, PacketView& view);
  [[nodiscard]] static std::uint32_t stored_crc(ByteView packet);

 private:
  class Fields;
};

}  // namespace hearth::protocol
