// What each command of `hearth` does. Each returns the exit code (client/report.hpp).
#pragma once

#include <string>

#include "client/options.hpp"
#include "client/plain_program.hpp"

namespace hearth::client {

// `executable`: this program, to start a server with.
[[nodiscard]] int list(const ListCommand& command, const std::string& executable);
[[nodiscard]] int run(const RunCommand& command, const std::string& executable);
// `program`: what the command's one PROGRAM says, with the arguments behind `--`.
[[nodiscard]] int check(const CheckCommand& command, const PlainProgram& program,
                        const std::string& executable);

}  // namespace hearth::client
