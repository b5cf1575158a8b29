// The command that brings a console, as a child: its stdin and stdout are pipes to us, its stderr
// is ours.
#pragma once

#include <string>
#include <vector>

#include "protocol/error.hpp"
#include "tunnel/owned_child.hpp"

namespace hearth::client {

struct ConsoleChild {
  tunnel::OwnedChild process;
  UniqueFd in;   // write here
  UniqueFd out;  // read here
};

// `command`: looked up in PATH. It has a process group of its own, and ends with us.
[[nodiscard]] Expected<ConsoleChild> start_console(const std::vector<std::string>& command);

}  // namespace hearth::client
