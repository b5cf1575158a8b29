#include "client/attach/console_child.hpp"

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "process/children.hpp"
#include "process/fork_exec.hpp"

namespace hearth::client {
namespace {

void become(char* const* words, int in, int out, pid_t parent) {
  setpgid(0, 0);
  if (process::die_with_parent(SIGTERM, parent) && dup2(in, STDIN_FILENO) >= 0 &&
      dup2(out, STDOUT_FILENO) >= 0)
    execvp(words[0], words);
}

}  // namespace

Expected<ConsoleChild> start_console(const std::vector<std::string>& command) {
  FdPair in;
  FdPair out;
  if (!process::make_pipe(in) || !process::make_pipe(out))
    return tl::unexpected(Error{"make a pipe", std::strerror(errno), "raise `ulimit -n`"});
  const auto words = process::exec_list(command);
  const pid_t parent = getpid();
  const auto [pid, error] =
      process::fork_exec([&] { become(words.data(), in.ours.get(), out.theirs.get(), parent); });
  if (error != 0) return tl::unexpected(Error{"start " + command[0], std::strerror(error), ""});
  return ConsoleChild{{pid, true}, std::move(in.theirs), std::move(out.ours)};
}

}  // namespace hearth::client
