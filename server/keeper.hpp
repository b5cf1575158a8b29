// A process around the server that outlives it by a moment: whichever of the two is killed, the other one ends
// everything that the server started.
#pragma once

#include <functional>

namespace hearth::server {

// Runs `body` in a child and returns its exit status, or 128 and the signal that ended it. By then no descendant
// is left. SIGINT, SIGTERM and SIGHUP reach the child. The child gets SIGTERM when this process is killed. Call it while the process has one thread.
int run_kept(const std::function<int()>& body);

}  // namespace hearth::server
