// The worker channel as the zygote sees it: whole packets, with descriptors.
// spec/worker-channel.md.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace hearth::zygote {

inline constexpr std::size_t max_packet = 64 * 1024;
inline constexpr std::size_t descriptors_per_packet = 3;

// What came in one packet. The descriptors (-1: none) are the receiver's, close-on-exec.
struct Received {
  enum class Kind { packet, closed } kind = Kind::closed;
  std::string_view bytes;  // valid until the next receive()
  std::array<int, descriptors_per_packet> descriptors{-1, -1, -1};
};

Received receive(int channel);
void close_all(const Received& received);

// Blocks until the packet is on its way; false where the peer is gone.
bool send(int channel, std::string_view packet);

// The same descriptor at or above `lowest`, close-on-exec; the old one is closed. The old one where
// that fails.
int move_up(int descriptor, int lowest);

}  // namespace hearth::zygote
