// What the commands share.
#pragma once

#include <unistd.h>

#include <string_view>

#include "client/display.hpp"
#include "client/options.hpp"
#include "client/orchestrator.hpp"
#include "client/report.hpp"

namespace hearth::client {

[[nodiscard]] inline int as_int(ExitCode code) {
  return static_cast<int>(code);
}

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
