// The exit codes of `hearth list`, `hearth run` and `hearth check`.
#pragma once

#include "client/run/events.hpp"

namespace hearth::client {

enum class ExitCode : int {
  success = 0,
  failures = 1,
  trouble = 2,          // usage, set-up
  results_missing = 3,  // a server was lost, or left out results or tests
  nothing_selected = 4,
  interrupted = 130,
};

// The exit code that says how the run went.
[[nodiscard]] ExitCode exit_code(const Outcome& outcome);

[[nodiscard]] inline int as_int(ExitCode code) {
  return static_cast<int>(code);
}

}  // namespace hearth::client
