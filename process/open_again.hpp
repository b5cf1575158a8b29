// An inherited descriptor's file with flags of our own.
#pragma once

#include "process/unique_fd.hpp"

namespace hearth::process {

// O_NONBLOCK belongs to the open file description, which an inherited descriptor shares with the
// shell and others. This gives another one of the same pipe or terminal: non-blocking,
// close-on-exec. Empty where there is none to be had: sockets, files (whose position is shared for
// a reason), a pty's master (which would be another pty), no /proc. `access`: O_RDONLY, O_WRONLY.
[[nodiscard]] UniqueFd open_again(int fd, int access);

}  // namespace hearth::process
