#include "client/project/servers.hpp"

#include <charconv>
#include <cstdlib>
#include <filesystem>

#include "client/project/instances.hpp"
#include "client/project/server_line.hpp"
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

// Options for a server of ours reach it by its environment, past whatever shell there is.
std::optional<Error> pass_options(ServerSettings server, const std::string& command,
                                  bool is_wrapped) {
  // So they reach a server of ours, wherever in the command that is.
  if (server.isolation) setenv("HEARTH_ISOLATION", server.isolation->c_str(), 1);
  if (server.fork) setenv("HEARTH_FORK", server.fork->c_str(), 1);
  if (!server.cwd.empty()) server.cwd = std::filesystem::absolute(server.cwd).string();
  const auto options = option_words(server);
  // Our own grace, too, is as long as the option says.
  const bool only_grace = options.size() == 2 && server.grace;
  using Kind = ServerLine::Kind;
  const auto kind = is_wrapped ? Kind::other : read_server_line(command).kind;
  if (options.empty() || (only_grace && kind == Kind::other)) return std::nullopt;
  if (kind != Kind::serve && kind != Kind::start) {
    const auto& option = options.front();
    const std::string cause = kind == Kind::meet
                                  ? "the server is there already, with options of its own"
                                  : "the server is started by a command that is not seen to be "
                                    "`hearth serve` on this machine: " +
                                        printable_line(command);
    return Error{"use " + option, cause,
                 "write the option into the command that starts the server: hearth serve " +
                     option + " ..., the server_command of " + TestrConf::file_name};
  }
  std::string words;
  for (const auto& word : options) words += (words.empty() ? "" : " ") + shell_quoted(word);
  setenv(options_variable, words.c_str(), 1);
  return std::nullopt;
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
  auto conf = TestrConf::read(project.directory);
  if (!conf) return tl::unexpected(conf.error());
  if (!*conf && !project.server_command) return tl::unexpected(no_project(project.directory));
  if (!*conf) *conf = TestrConf();
  const auto command = project.server_command ? project.server_command : (*conf)->server_command;
  if (!command) return tl::unexpected(no_server_command(project.directory));
  const bool is_wrapped = (*conf)->instances.execute.has_value();
  if (auto failed = pass_options(project.server, *command, is_wrapped))
    return tl::unexpected(std::move(*failed));
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

Expected<ProjectCommand> find_project_command(const std::string& directory) {
  const auto conf = TestrConf::read(directory);
  if (!conf) return tl::unexpected(conf.error());
  if (!*conf)
    return tl::unexpected(Error{
        "find this project's server", "there is no " + testr_conf_path(directory),
        "give an ADDRESS, unix:PATH or tcp:127.0.0.1:PORT, or the project's directory with -C"});
  const auto& command = (*conf)->server_command;
  if (!command) return tl::unexpected(no_server_command(directory));
  if ((*conf)->instances.provision || (*conf)->instances.execute)
    return tl::unexpected(Error{"find this project's server",
                                testr_conf_path(directory) + " has instances, each with a server",
                                "give an ADDRESS"});
  return ProjectCommand{*command, shell_line(*command, directory)};
}

Expected<ProjectAddress> find_project_address(const std::string& directory) {
  const auto command = find_project_command(directory);
  if (!command) return tl::unexpected(command.error());
  const auto line = read_server_line(command->text);
  const auto error = [&](const std::string& cause) {
    return tl::make_unexpected(
        Error{"find this project's server",
              "its server_command is `" + printable_line(command->text) + "`" + cause,
              "give an ADDRESS, or let a server stay: server_command=hearth attach --start "
              "unix:.hearth/run/socket -- PROGRAM..."});
  };
  if (line.kind == ServerLine::Kind::serve)
    return error(", which starts a server for each run, and none stays");
  const auto address = line.address ? with_variables(*line.address) : std::nullopt;
  if (!address) return error(", in which no ADDRESS is seen");
  // As the command has it, which runs in the project's directory.
  ProjectAddress found{*address, std::nullopt};
  constexpr std::string_view scheme = "unix:";
  const auto in_project = [&](const std::string& path) {
    return path.starts_with('/') ? path : (std::filesystem::path(directory) / path).string();
  };
  if (address->starts_with(scheme))
    found.address = std::string(scheme) + in_project(address->substr(scheme.size()));
  if (line.token_file) {
    const auto file = with_variables(*line.token_file);
    if (!file) return error(", whose --token-file is not understood");
    found.token_file = in_project(*file);
  }
  return found;
}

}  // namespace hearth::client
