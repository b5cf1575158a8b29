// What is told to a server, and where servers come from.
#include "client/options/add_options.hpp"

#include <sstream>

namespace hearth::client {
namespace {

constexpr const char* program_help =
    "a test program: a path, NAME=PATH, or a quoted command line with arguments";

std::string check_assignment(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return "'" + text + "' is not of the form K=V";
  return {};
}

}  // namespace

void add_server_options(CLI::App& app, ServerSettings& server) {
  // What comes last counts: a project's server_command may say one thing, and who runs it another.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("-j,--jobs", server.jobs, "tests at a time (the CPUs that may be used)")
      ->type_name("N")
      ->check(CLI::Range(1U, 100'000U));
  app.add_option("--timeout", server.timeout, "time limit of a test (600; 0: none)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9));
  app.add_option("--grace", server.grace, "time between TERM and KILL (2)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e6));
  app.add_option("--load-timeout", server.load_timeout,
                 "time for a program to load and to list its tests (60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e9));
  app.add_option("--output-limit", server.output_limit,
                 "output kept of each test, for stdout and stderr each (16; 0: all)")
      ->type_name("MIB")
      ->check(CLI::Range(0U, 1U << 30));
  app.add_option("--leaks", server.leaks,
                 "what a test is that leaves processes behind: ok, fail (ok)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"ok", "fail"}));
  app.add_option("--exit", server.exit,
                 "what trouble at a program's end, after its tests, is: fail, ignore (fail)")
      ->type_name("WHAT")
      ->check(CLI::IsMember({"fail", "ignore"}));
  app.add_option("--isolation", server.isolation,
                 "process: each test in a process of its own; none: a program's tests of one\n"
                 "Run in one process, in the Run's order (process)")
      ->type_name("WHAT")
      ->envname("HEARTH_ISOLATION")
      ->check(CLI::IsMember({"process", "none"}));
  app.add_option("--fork", server.fork,
                 "auto: tests are forks of their warm program, where that can be forked; never:\n"
                 "the program is started anew for each test (auto)")
      ->type_name("WHAT")
      ->envname("HEARTH_FORK")
      ->check(CLI::IsMember({"auto", "never"}));
  app.add_option("--cwd", server.cwd, "directory that the programs start in (this one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
  app.add_option("--env", server.environment, "set a variable for the programs; may be repeated")
      ->type_name("K=V")
      ->allow_extra_args(false)
      ->check(CLI::Validator(check_assignment, ""));
}

void add_programs(CLI::App& app, std::vector<std::string>& programs) {
  app.add_option("PROGRAM", programs, program_help)->type_name("")->required();
}

void add_project_options(CLI::App& app, ProjectSettings& project) {
  add_server_options(app, project.server);
  app.add_option("-C,--directory", project.directory,
                 "the project's directory: its .testr.conf and its history (this one)")
      ->type_name("DIR")
      ->check(CLI::ExistingDirectory);
  app.add_option("--server", project.server_command,
                 "shell command that starts a test server, instead of .testr.conf's server_command")
      ->type_name("COMMAND");
  app.add_option("PROGRAM", project.server.programs,
                 std::string(program_help) + "; none: the servers of the project's .testr.conf")
      ->type_name("");
}

std::vector<std::string> option_words(const ServerSettings& settings) {
  std::vector<std::string> command;
  const auto add = [&](const char* option, const auto& value) {
    if (!value) return;
    std::ostringstream text;
    text.precision(15);
    text << *value;
    command.insert(command.end(), {option, text.str()});
  };
  add("--jobs", settings.jobs);
  add("--timeout", settings.timeout);
  add("--grace", settings.grace);
  add("--load-timeout", settings.load_timeout);
  add("--output-limit", settings.output_limit);
  add("--leaks", settings.leaks);
  add("--exit", settings.exit);
  if (!settings.cwd.empty()) command.insert(command.end(), {"--cwd", settings.cwd});
  for (const auto& variable : settings.environment)
    command.insert(command.end(), {"--env", variable});
  return command;
}

std::vector<std::string> serve_command_line(const std::string& executable,
                                            const ServerSettings& settings) {
  std::vector<std::string> command{executable, "serve"};
  const auto options = option_words(settings);
  command.insert(command.end(), options.begin(), options.end());
  if (settings.isolation) command.insert(command.end(), {"--isolation", *settings.isolation});
  if (settings.fork) command.insert(command.end(), {"--fork", *settings.fork});
  command.emplace_back("--");
  command.insert(command.end(), settings.programs.begin(), settings.programs.end());
  return command;
}

}  // namespace hearth::client
