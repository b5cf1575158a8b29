// Places to run servers in (containers, machines, namespaces), had and given back by commands of
// the project's
// `.testr.conf`, as testr has them.
//
// Flow: provision() asks for as many as wanted; wrapped() makes a server's command one that runs in
// an instance; the destructor disposes of all, once. That is done by a process of its own, which
// waits for the end of this one: so it happens also when this one is killed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "client/project/testr_conf.hpp"

namespace hearth::client {

// The three commands with their variables replaced, for `sh -c`.
[[nodiscard]] std::string provision_command(const std::string& text, std::size_t count);
[[nodiscard]] std::string execute_command(const std::string& text, const std::string& id,
                                          const std::string& command);
// `ids` come sorted, with blanks between.
[[nodiscard]] std::string dispose_command(const std::string& text, std::vector<std::string> ids);

class Instances {
 public:
  // `count` instances; there may be more, if more are given at once. `commands.provision` must be
  // set. To be called before the process has threads. `directory`: where the commands run.
  [[nodiscard]] static Expected<std::shared_ptr<Instances>> provision(
      const InstanceCommands& commands, std::size_t count, const std::string& directory);
  // What went wrong is told on stderr.
  ~Instances();
  Instances(const Instances&) = delete;
  Instances& operator=(const Instances&) = delete;

  // In the order in which they were given.
  [[nodiscard]] const std::vector<std::string>& ids() const { return m_ids; }
  // `command` (for `sh -c`) in the instance `id`: itself, where there is no instance_execute.
  [[nodiscard]] std::string wrapped(const std::string& command, const std::string& id) const;

 private:
  class Disposer;
  Instances(InstanceCommands commands, std::unique_ptr<Disposer> disposer);
  [[nodiscard]] std::optional<Error> provision_more(std::size_t count,
                                                    const std::string& directory);

  InstanceCommands m_commands;
  std::unique_ptr<Disposer> m_disposer;  // where there is an instance_dispose
  std::vector<std::string> m_ids;
};

}  // namespace hearth::client
