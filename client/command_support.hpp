// What the commands share.
#pragma once

#include <unistd.h>

#include <string_view>

#include "client/exit_code.hpp"
#include "client/options.hpp"
#include "client/run/orchestrator.hpp"
#include "client/show/display.hpp"
#include "client/show/report.hpp"

namespace hearth::client {

// A set-up error: says why on stderr.
inline int fail_setup(std::string_view why) {
  descriptor_writer(STDERR_FILENO)("hearth: " + std::string(why) + "\n");
  return as_int(ExitCode::trouble);
}

[[nodiscard]] inline std::chrono::milliseconds seconds(double value) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::duration<double>(value));
}

[[nodiscard]] inline std::chrono::milliseconds grace_of(const ServerSettings& settings) {
  return seconds(settings.grace.value_or(2));
}

}  // namespace hearth::client
