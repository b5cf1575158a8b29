// A server in the background: it has a session of its own, and none of our descriptors.
//
//   log keeper          reads what the server prints, and keeps the log bounded (LogFile)
//     └─ hearth serve   stdin is /dev/null; gets SIGTERM if the log keeper is killed
//
// The log keeper is a process, and not a file that the server appends to, so that the bound holds
// whoever prints, and so that somebody is left to say in the log how the server ended.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "protocol/error.hpp"

namespace hearth::client {

struct Daemon {
  std::vector<std::string> command;  // the executable's path, then all words from argv[0] on
  std::string log_path;
  std::chrono::milliseconds patience;
};

// Returns when the server has said that it listens. An error has the end of what it said instead.
[[nodiscard]] Expected<void> start_daemon(const Daemon& daemon);

}  // namespace hearth::client
