#include "server/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "process/children.hpp"
#include "process/fork_exec.hpp"
#include "server/program_look.hpp"

extern char** environ;

namespace hearth::server {
namespace {

constexpr char llvm_begun_variable[] = "__LLVM_PROFILE_RT_INIT_ONCE";  // zygote/coverage.cpp

Error system_error(std::string attempted, int code, std::string remedy = {}) {
  return {std::move(attempted), std::strerror(code), std::move(remedy)};
}

// Ours with the settings' on top, and before them the channel and the mark, where those who look
// for it find it however long the rest is.
std::vector<std::string> make_environment(const SpawnSettings& settings, std::uint64_t execution) {
  std::vector<std::string> variables;
  const auto set = [&](const std::string& variable, bool first) {
    const std::string key = variable.substr(0, variable.find('=') + 1);
    std::erase_if(variables, [&](const std::string& other) { return other.starts_with(key); });
    variables.insert(first ? variables.begin() : variables.end(), variable);
  };
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  for (const std::string& variable : settings.environment) set(variable, false);
  const std::string begun = std::string(llvm_begun_variable) + '=';
  const bool is_begun =
      std::any_of(variables.begin(), variables.end(),
                  [&](const std::string& variable) { return variable.starts_with(begun); });
  if (settings.counts != Counts::first && !is_begun)
    set(begun + (settings.counts == Counts::adds ? "adds" : "anew"), false);
  set(std::string(channel_variable) + '=' + std::to_string(channel_fd), true);
  std::string digits(process::marker_digits, '0');
  process::write_marker(digits.data(), execution);
  set(std::string(process::marker_variable) + '=' + digits, true);
  return variables;
}

std::optional<rlimit> limit_before;  // of descriptors, where raise_descriptor_limit() has raised it

struct ChildEnds {
  int channel;
  int out;
  int err;
};

void become_program(const ChildEnds& ends, const char* path, const char* cwd,
                    char* const* arguments, char* const* environment, pid_t parent) {
  if (!process::die_with_parent(SIGKILL, parent)) _exit(127);
  setsid();
  // Out of the way first: any of them may have a number that another is to get.
  const int channel = fcntl(ends.channel, F_DUPFD_CLOEXEC, channel_fd + 1);
  const int out = fcntl(ends.out, F_DUPFD_CLOEXEC, channel_fd + 1);
  const int err = fcntl(ends.err, F_DUPFD_CLOEXEC, channel_fd + 1);
  const int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 || dup2(channel, channel_fd) < 0)
    return;
  if (limit_before) setrlimit(RLIMIT_NOFILE, &*limit_before);
  if (cwd[0] != '\0' && chdir(cwd) != 0) return;
  execve(path, arguments, environment);
}

std::string remedy_for(int code) {
  if (code == ENOENT) return "build it, or correct the path (or the interpreter or --cwd it needs)";
  if (code == EACCES)
    return "make it executable, if it is a program: a PROGRAM is a compiled test program";
  if (code == ENOEXEC) return "a PROGRAM is a compiled test program";
  if (code == EBADF || code == EMFILE || code == EINVAL)
    return "raise the hard limit of `ulimit -n` to 256 or more";
  return {};
}

}  // namespace

void raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  if (!limit_before) limit_before = limit;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

Expected<FdPair> make_pipe() {
  FdPair ends;
  if (!process::make_pipe(ends)) {
    return tl::unexpected(
        system_error("make a pipe for a test's output", errno, "raise `ulimit -n`"));
  }
  fcntl(ends.ours.get(), F_SETFL, O_NONBLOCK);
  return ends;
}

Expected<FdPair> make_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return tl::unexpected(system_error("make a channel to a test", errno, "raise `ulimit -n`"));
  }
  return FdPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

Expected<SpawnedProgram> spawn(const ProgramSpec& spec, const SpawnSettings& settings,
                               std::uint64_t execution) {
  auto channel = make_channel();
  auto out = make_pipe();
  auto err = make_pipe();
  if (!channel) return tl::unexpected(channel.error());
  if (!out) return tl::unexpected(out.error());
  if (!err) return tl::unexpected(err.error());

  std::vector<std::string> arguments{spec.path};
  arguments.insert(arguments.end(), spec.arguments.begin(), spec.arguments.end());
  const std::vector<std::string> environment = make_environment(settings, execution);
  const std::vector<char*> argument_list = process::exec_list(arguments);
  const std::vector<char*> environment_list = process::exec_list(environment);
  const ChildEnds ends{channel->theirs.get(), out->theirs.get(), err->theirs.get()};
  const pid_t parent = getpid();
  const auto [pid, error] = process::fork_exec(
      [&] {
        become_program(ends, spec.path.c_str(), settings.cwd.c_str(), argument_list.data(),
                       environment_list.data(), parent);
      },
      channel_fd, process::Signals::inherited);
  if (error != 0) {
    Error failed = system_error("start " + spec.path, error, remedy_for(error));
    if (error == EACCES || error == ENOEXEC) failed.cause += kind_of_file(spec.path);
    return tl::unexpected(std::move(failed));
  }
  return SpawnedProgram{pid, std::move(channel->ours), std::move(out->ours), std::move(err->ours)};
}

}  // namespace hearth::server
