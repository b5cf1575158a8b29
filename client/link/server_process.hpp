// A `hearth serve` of our own, as a child process: its stdin, stdout and stderr are pipes to us,
// and it has a process group of its own, so that a Ctrl-C at the terminal reaches us alone and we
// end it in good order.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::client {

// Descriptors are owned by whoever takes them over; all are close-on-exec.
struct ServerProcess {
  pid_t pid = -1;
  int pid_fd = -1;  // readable when the process has ended
  int in = -1;      // write here; non-blocking
  int out = -1;     // read here; non-blocking
  int err = -1;     // read here; non-blocking
};

// `command`: the program's path, then its arguments.
[[nodiscard]] Expected<ServerProcess> start_server(const std::vector<std::string>& command);

// "exited with status 1", "was killed by signal 9 (Killed)".
[[nodiscard]] std::string describe_end(int wait_status);

}  // namespace hearth::client
