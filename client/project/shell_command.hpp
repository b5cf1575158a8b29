// A command of the project's configuration, run by `sh -c` until it ends: its stdin is empty, its
// stdout and stderr are kept. What it leaves running in the background is its own business.
#pragma once

#include <chrono>
#include <string>

#include "protocol/error.hpp"

namespace hearth::client {

struct ShellCommand {
  std::string key;   // of the configuration, for errors
  std::string text;  // as for `sh -c`
  std::string directory = ".";
  std::chrono::milliseconds limit = std::chrono::minutes(10);
};

struct ShellOutput {
  std::string out;
  std::string err;
};

// An error where the command cannot be started, does not exit with status 0, says more than 1 MiB,
// or takes longer than its limit; or where a SIGINT, SIGTERM or SIGHUP comes, which then is used
// up. It names the key, the command, how it ended, and the end of its stderr. Blocks; the command's
// process group is ended with it where it is given up.
[[nodiscard]] Expected<ShellOutput> run_shell(const ShellCommand& command);

// `word` such that a shell takes it for one word, which means itself.
[[nodiscard]] std::string shell_quoted(const std::string& word);

}  // namespace hearth::client
