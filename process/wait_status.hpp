// What wait() says of a process's end.
#pragma once

#include <string>

namespace hearth::process {

// "exited with status 3", "was killed by signal 11 (SIGSEGV), core dumped".
[[nodiscard]] std::string describe_wait_status(int wait_status);
// As a shell has it: the exit status, or 128 and the signal.
[[nodiscard]] int exit_status(int wait_status);

}  // namespace hearth::process
