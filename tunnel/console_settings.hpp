// What both ends of a console take from their environment.
//
//   HEARTH_CONSOLE_DEADLINE=SECONDS  to find the other end, and without a sign of it or progress;
//                                    30 where it is not set; at least 0.1, at most 86400
//   HEARTH_CONSOLE_LINE=BYTES        the longest line that is sent: 255 to 4096; 1024
#pragma once

#include "protocol/console_armour.hpp"
#include "protocol/error.hpp"

namespace hearth::tunnel {

// With a nonce from the system's random source.
[[nodiscard]] Expected<protocol::armour::Options> console_options(protocol::armour::Side side);

// The armour's clock.
[[nodiscard]] protocol::armour::Time steady_now();

}  // namespace hearth::tunnel
