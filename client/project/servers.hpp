// Where the servers of a run come from: programs on the command line, a command on the command
// line, or the project's `.testr.conf`.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/options.hpp"
#include "protocol/error.hpp"

namespace hearth::client {

// The servers of one run. Instances that were provisioned for them are disposed of when it is
// destroyed.
struct ProjectServers {
  std::vector<std::vector<std::string>>
      commands;  // of each worker: a program's path and its arguments
  // The group that a test is scheduled with; not set: there are no groups.
  std::function<std::optional<std::string>(const std::string& id)> group_of;
  std::vector<std::string> filter_tags;  // tests with any of these are neither listed nor counted
  std::shared_ptr<void> instances;
};

// `executable`: this program, which serves the programs of the command line. `workers`: how many
// servers are wanted; absent: what the project says, or else one.
[[nodiscard]] Expected<ProjectServers> find_servers(const ProjectSettings& project,
                                                    const std::string& executable,
                                                    std::optional<unsigned> workers);

// The server_command of the project in `directory`; an error where there is none, or it is used in
// instances.
struct ProjectCommand {
  std::string text;
  std::vector<std::string> words;  // which run it in that directory
};
[[nodiscard]] Expected<ProjectCommand> find_project_command(const std::string& directory);

// Where the project's server listens.
struct ProjectAddress {
  std::string address;
  std::optional<std::string> token_file;
};
[[nodiscard]] Expected<ProjectAddress> find_project_address(const std::string& directory);

}  // namespace hearth::client
