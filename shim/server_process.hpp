// The server that the shim runs: in a process group of its own, with a socket for the protocol as
// its stdin, which HEARTH_CHANNEL_FD names too, and pipes as its stdout and stderr.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"

namespace hearth::shim {

// The descriptors are close-on-exec and non-blocking.
struct ServerProcess {
  pid_t pid = -1;
  UniqueFd channel;
  UniqueFd out;
  UniqueFd err;
};

struct StartFailure {
  Error error;
  int status;  // to exit with: 127 where there is no such program, otherwise 126
};

// `command`: a program, by its path or to be found in PATH, and its arguments. It gets no signal
// mask, and SIGKILL when this process ends.
[[nodiscard]] tl::expected<ServerProcess, StartFailure> start_server(
    const std::vector<std::string>& command);

}  // namespace hearth::shim
