// What each command of `hearth` does. Each returns the exit code (client/report.hpp).
#pragma once

#include <string>

#include "client/options.hpp"

namespace hearth::client {

// `executable`: this program, to start a server with.
[[nodiscard]] int list(const ListCommand& command, const std::string& executable);
[[nodiscard]] int run(const RunCommand& command, const std::string& executable);
[[nodiscard]] int check(const CheckCommand& command, const std::string& executable);

}  // namespace hearth::client
