// The executable `hearth`.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>

#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/server_line.hpp"
#include "server/program_spec.hpp"
#include "server/serve.hpp"

namespace hearth::client {
namespace {

// /proc/self/exe is this program also when its file has been replaced since.
constexpr const char* executable = "/proc/self/exe";

server::ServeOptions serve_options(const ServerSettings& settings) {
  server::ServeOptions options;
  options.programs = settings.programs;
  options.jobs = settings.jobs.value_or(options.jobs);
  if (settings.timeout) options.timeout = seconds(*settings.timeout);
  if (settings.grace) options.grace = seconds(*settings.grace);
  if (settings.load_timeout) options.load_timeout = seconds(*settings.load_timeout);
  if (settings.output_limit) options.output_limit = *settings.output_limit << 20;
  options.leaks_fail = settings.leaks == "fail";
  options.exit_fails = settings.exit != "ignore";
  if (settings.isolation == "none") options.isolation = server::Isolation::none;
  options.forks = settings.fork != "never";
  options.cwd = settings.cwd;
  options.environment = settings.environment;
  return options;
}

std::string quoted(const std::string& word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// The program's arguments become part of its command line, for the server as for ourselves.
int check_program(CheckCommand command) {
  auto& argument = command.server.programs.front();
  const auto spec = server::parse_program(argument);
  if (!spec) return fail_setup(spec.error().text());
  PlainProgram program{spec->name, spec->path, spec->arguments, command.server.cwd,
                       command.server.environment};
  if (!command.arguments.empty()) {
    program.arguments.insert(program.arguments.end(), command.arguments.begin(),
                             command.arguments.end());
    argument = program.name + "=" + quoted(program.path);
    for (const auto& word : program.arguments) argument += " " + quoted(word);
  }
  return check(command, program, executable);
}

// What no server could read is not written down.
int init_programs(const InitCommand& command) {
  for (const auto& program : command.server.programs)
    if (const auto spec = server::parse_program(program); !spec)
      return fail_setup(spec.error().text());
  return init(command);
}

struct CommandRunner {
  int operator()(const ServeCommand& command) const {
    server::ServeOptions options = serve_options(command.server);
    if (command.listen) options.listen = *transport::parse_address(*command.listen);
    options.token_file = command.token_file;
    options.idle = std::chrono::seconds(command.idle.value_or(0));
    return server::serve(options);
  }
  int operator()(const ListCommand& command) const { return list(command, executable); }
  int operator()(const RunCommand& command) const { return run(command, executable); }
  int operator()(const StreamCommand& command) const { return stream(command, executable); }
  int operator()(const CheckCommand& command) const { return check_program(command); }
  int operator()(const InitCommand& command) const { return init_programs(command); }
  int operator()(const LastCommand& command) const { return last(command); }
  int operator()(const FailingCommand& command) const { return failing(command); }
  int operator()(const SlowestCommand& command) const { return slowest(command); }
  int operator()(const HistoryCommand& command) const { return history(command); }
  int operator()(const FlakyCommand& command) const { return flaky(command); }
  int operator()(const AttachCommand& command) const { return attach(command, executable); }
  int operator()(const ConsoleCommand& command) const { return attach_console(command); }
  int operator()(const StatusCommand& command) const { return status(command); }
};

// A pipe of ours must never become the descriptor 0, 1 or 2 of somebody who thinks it is a
// terminal.
void open_standard_descriptors() {
  int fd = 0;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd > STDERR_FILENO) close(fd);
}

// What a `hearth run` above us has for the server that we become, or start. It is not for what runs
// below us.
std::vector<std::string> take_passed_options(std::vector<std::string> arguments) {
  const char* const passed = std::getenv(options_variable);
  if (passed == nullptr) return arguments;
  const bool is_for_us =
      !arguments.empty() && (arguments[0] == "serve" || arguments[0] == "attach");
  auto with_passed = with_passed_options(std::move(arguments), passed);
  if (is_for_us) unsetenv(options_variable);
  return with_passed;
}

int run_command_line(int argc, char** argv) {
  signal(SIGCHLD, SIG_DFL);  // ignored, no child's end could be waited for
  open_standard_descriptors();
  const auto arguments = take_passed_options({argv + 1, argv + argc});
  const auto command = parse_command_line(arguments);
  if (command) return std::visit(CommandRunner{}, *command);
  const auto& end = command.error();
  descriptor_writer(end.exit_code == 0 ? STDOUT_FILENO : STDERR_FILENO)(end.text);
  return end.exit_code;
}

}  // namespace
}  // namespace hearth::client

int main(int argc, char** argv) {
  try {
    return hearth::client::run_command_line(argc, argv);
  } catch (const std::exception& error) {
    return hearth::client::fail_setup(error.what());
  }
}
