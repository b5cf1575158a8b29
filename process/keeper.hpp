// A process around the server that outlives it by a moment: whichever of the two is killed, the
// other one ends everything that the server started.
#pragma once

#include <functional>

#include "process/children.hpp"

namespace hearth::process {

// Runs `body` in a child and returns its exit status, or 128 and the signal that ended it. By then
// no descendant is left, or none but `daemons`. SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGCONT reach
// the child; this process does not stop. The child gets SIGTERM when this process is killed. Call
// it while the process has one thread. The process that stays here bears a name of its own, also in
// the place of argv.
int run_kept(const std::function<int()>& body, Daemons daemons = Daemons::killed);

}  // namespace hearth::process
