#include "process/wait_status.hpp"

#include <sys/wait.h>

#include <cstring>

namespace hearth::process {

std::string describe_wait_status(int wait_status) {
  if (WIFEXITED(wait_status)) {
    return "exited with status " + std::to_string(WEXITSTATUS(wait_status));
  }
  if (!WIFSIGNALED(wait_status)) return "ended with wait status " + std::to_string(wait_status);
  const int signal = WTERMSIG(wait_status);
  const char* const abbreviation = sigabbrev_np(signal);
  return "was killed by signal " + std::to_string(signal) +
         (abbreviation != nullptr ? std::string(" (SIG") + abbreviation + ')' : std::string()) +
         (WCOREDUMP(wait_status) ? ", core dumped" : "");
}

int exit_status(int wait_status) {
  return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
}

}  // namespace hearth::process
