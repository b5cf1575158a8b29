// Stops every process below this one, and sets them going again.
#pragma once

#include <sys/types.h>

#include <vector>

namespace hearth::server {

// Returns when they stand still, or, where the kernel holds one up, after a second. Gives those
// that it has stopped: what had stopped before, by itself, is to stay so.
[[nodiscard]] std::vector<pid_t> stop_descendants();

// The last one first: a parent that looks finds its children running.
void set_going(const std::vector<pid_t>& stopped);

}  // namespace hearth::server
