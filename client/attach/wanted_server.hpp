// Is the server that runs the one that is wanted? Whoever changes the arguments behind
// `hearth attach --start` is not to be answered by a server that has the old ones.
#pragma once

#include <string>
#include <vector>

#include "client/attach/resident.hpp"

namespace hearth::client {

// What decides what a server is: its arguments, and where and how they are understood.
struct ServerIdentity {
  std::vector<std::string> arguments;  // behind `hearth serve --listen ADDRESS --idle SECONDS`
  std::string directory;
  std::string isolation;  // $HEARTH_ISOLATION
  bool operator==(const ServerIdentity&) const = default;
};

// `command_line` and `environment` as in /proc, each word ended by a NUL. nullopt: it was started
// in another way, by somebody who knows what it is to be.
[[nodiscard]] std::optional<ServerIdentity> identity_of(const std::string& command_line,
                                                        const std::string& environment,
                                                        std::string directory);

// `server`: a connection to it, which is closed where it is another one. True: it is wanted. False:
// it was another one, had no client, and has been ended. An error: it is another one, and has.
[[nodiscard]] Expected<bool> check_wanted(UniqueFd& server, const Resident& resident);

}  // namespace hearth::client
