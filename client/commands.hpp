// What each command of `hearth` does. Each returns the exit code (client/exit_code.hpp).
#pragma once

#include <string>

#include "client/compare/plain_program.hpp"
#include "client/options.hpp"

namespace hearth::client {

// `executable`: this program, to start a server with.
[[nodiscard]] int list(const ListCommand& command, const std::string& executable);
[[nodiscard]] int run(const RunCommand& command, const std::string& executable);
[[nodiscard]] int analyze_isolation(RunCommand command, const std::string& executable);
[[nodiscard]] int stream(const StreamCommand& command, const std::string& executable);
[[nodiscard]] int init(const InitCommand& command);
[[nodiscard]] int last(const LastCommand& command);
[[nodiscard]] int failing(const FailingCommand& command);
[[nodiscard]] int slowest(const SlowestCommand& command);
[[nodiscard]] int history(const HistoryCommand& command);
[[nodiscard]] int flaky(const FlakyCommand& command);
[[nodiscard]] int attach(const AttachCommand& command, const std::string& executable);
[[nodiscard]] int status(StatusCommand command);
// `program`: what the command's one PROGRAM says, with the arguments behind `--`.
[[nodiscard]] int check(const CheckCommand& command, const PlainProgram& program,
                        const std::string& executable);

}  // namespace hearth::client
