#include "client/project/servers.hpp"

#include <charconv>
#include <cstdlib>

#include "client/project/instances.hpp"
#include "client/project/shell_command.hpp"
#include "client/project/testr_conf.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr unsigned most_servers = 10'000;

// The command runs where the project is.
std::vector<std::string> shell_line(const std::string& command, const std::string& directory) {
  const bool here = directory == "." || directory.empty();
  return {"/bin/sh", "-c",
          here ? command : "cd " + shell_quoted(directory) + " || exit 2\n" + command};
}

// What test_run_concurrency prints; 0 says nothing.
Expected<std::optional<unsigned>> concurrency(const TestrConf& conf, const std::string& directory) {
  if (!conf.run_concurrency) return std::optional<unsigned>();
  const auto output = run_shell({"test_run_concurrency", *conf.run_concurrency, directory});
  if (!output) return tl::unexpected(output.error());
  std::string_view text = output->out;
  constexpr std::string_view blanks = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  text = text.substr(0, text.find_last_not_of(blanks) + 1);
  if (text.starts_with('+')) text.remove_prefix(1);
  unsigned count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() ||
      count > most_servers)
    return tl::unexpected(conf.file.error_in(
        "test_run_concurrency", "the command printed '" + printable_line(text.substr(0, 200)) + "'",
        "it is to print one whole number, of at most " + std::to_string(most_servers)));
  return count == 0 ? std::nullopt : std::optional(count);
}

Error no_project(const std::string& directory) {
  return {"find the tests", "no PROGRAM is given, and there is no " + testr_conf_path(directory),
          "name the test programs, or let `hearth init PROGRAM...` write that file"};
}

Error no_server_command(const std::string& directory) {
  return {"start a test server", testr_conf_path(directory) + " has no server_command",
          "add a line such as `server_command=hearth serve ./my_test` below [DEFAULT], let "
          "`hearth init --add PROGRAM...` add it, or name the test programs"};
}

// Options of a server are for one that we start ourselves; a command brings its own.
std::optional<Error> misplaced_option(const ServerSettings& server) {
  const char* option = nullptr;
  if (server.jobs) option = "--jobs";
  if (server.timeout) option = "--timeout";
  if (server.load_timeout) option = "--load-timeout";
  if (server.output_limit) option = "--output-limit";
  if (server.leaks) option = "--leaks";
  if (!server.cwd.empty()) option = "--cwd";
  if (!server.environment.empty()) option = "--env";
  if (option == nullptr) return std::nullopt;
  return Error{
      "use " + std::string(option), "the server is started by a command, which has its own options",
      "add it to the command: server_command=hearth serve " + std::string(option) + " ..."};
}

std::optional<Error> add_commands(ProjectServers& servers, const TestrConf& conf,
                                  const std::string& command, const std::string& directory,
                                  unsigned count) {
  if (!conf.instances.provision) {
    servers.commands.assign(count, shell_line(command, directory));
    return std::nullopt;
  }
  const auto instances = Instances::provision(conf.instances, count, directory);
  if (!instances) return instances.error();
  for (unsigned i = 0; i < count; ++i)
    servers.commands.push_back(
        shell_line((*instances)->wrapped(command, (*instances)->ids()[i]), directory));
  servers.instances = *instances;
  return std::nullopt;
}

}  // namespace

Expected<ProjectServers> find_servers(const ProjectSettings& project, const std::string& executable,
                                      std::optional<unsigned> workers) {
  ProjectServers servers;
  if (!project.server.programs.empty()) {
    servers.commands.assign(workers.value_or(1), serve_command_line(executable, project.server));
    return servers;
  }
  if (auto misplaced = misplaced_option(project.server))
    return tl::unexpected(std::move(*misplaced));
  // So it reaches a server of ours, wherever in the command that is.
  if (project.server.isolation) setenv("HEARTH_ISOLATION", project.server.isolation->c_str(), 1);
  auto conf = TestrConf::read(project.directory);
  if (!conf) return tl::unexpected(conf.error());
  if (!*conf && !project.server_command) return tl::unexpected(no_project(project.directory));
  if (!*conf) *conf = TestrConf();
  const auto command = project.server_command ? project.server_command : (*conf)->server_command;
  if (!command) return tl::unexpected(no_server_command(project.directory));
  auto group_of = (*conf)->group_of();
  if (!group_of) return tl::unexpected(group_of.error());
  servers.group_of = std::move(*group_of);
  servers.filter_tags = (*conf)->filter_tags;
  if (!workers) {
    const auto wanted = concurrency(**conf, project.directory);
    if (!wanted) return tl::unexpected(wanted.error());
    workers = *wanted;
  }
  if (auto failed = add_commands(servers, **conf, *command, project.directory, workers.value_or(1)))
    return tl::unexpected(std::move(*failed));
  return servers;
}

}  // namespace hearth::client
