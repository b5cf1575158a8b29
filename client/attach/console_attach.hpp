// `hearth attach --console`: the RPC on our stdin and stdout, over a console that a command brings.
#pragma once

#include <string>
#include <vector>

namespace hearth::client {

struct ConsoleCommand {
  std::vector<std::string> lines;     // to be typed first
  std::vector<std::string> forwards;  // LISTEN=TARGET
  std::vector<std::string> words;     // the command that brings the console
};

// Returns the exit code: 0 after the client's Goodbye, 1 where the session ended without one, 2
// where it could not be tried.
[[nodiscard]] int attach_console(const ConsoleCommand& command);

}  // namespace hearth::client
