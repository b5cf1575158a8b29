#include "shim/server_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "process/children.hpp"
#include "process/fork_exec.hpp"

namespace hearth::shim {
namespace {

struct ChildEnds {
  int channel;
  int out;
  int err;
};

// All of these are above 2: main() sees to it.
void become_server(const ChildEnds& ends, char* const* arguments, pid_t parent) {
  if (!process::die_with_parent(SIGKILL, parent)) return;
  setpgid(0, 0);
  if (dup2(ends.channel, 0) == 0 && dup2(ends.out, 1) == 1 && dup2(ends.err, 2) == 2 &&
      setenv("HEARTH_CHANNEL_FD", "0", 1) == 0) {
    execvp(arguments[0], arguments);
  }
}

bool make_socket_pair(FdPair& pair) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return false;
  pair = {UniqueFd(ends[0]), UniqueFd(ends[1])};
  return true;
}

void make_non_blocking(const UniqueFd& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

tl::unexpected<StartFailure> refuse(const std::string& program, int code) {
  const bool missing = code == ENOENT || code == ENOTDIR;
  std::string remedy;
  if (missing) remedy = "correct its path, or its interpreter's, or PATH";
  if (code == EACCES) remedy = "make it executable";
  return tl::unexpected(
      StartFailure{{"start the server " + program, std::strerror(code), std::move(remedy)},
                   missing ? 127 : 126});
}

}  // namespace

tl::expected<ServerProcess, StartFailure> start_server(const std::vector<std::string>& command) {
  FdPair channel;
  FdPair out;
  FdPair err;
  if (!make_socket_pair(channel) || !process::make_pipe(out) || !process::make_pipe(err)) {
    return refuse(command.front(), errno);
  }
  const std::vector<char*> arguments = process::exec_list(command);
  const ChildEnds ends{channel.theirs.get(), out.theirs.get(), err.theirs.get()};
  const pid_t parent = getpid();
  const auto [pid, error] =
      process::fork_exec([&] { become_server(ends, arguments.data(), parent); });
  if (error != 0) return refuse(command.front(), error);
  for (const FdPair* pair : {&channel, &out, &err}) make_non_blocking(pair->ours);
  return ServerProcess{pid, std::move(channel.ours), std::move(out.ours), std::move(err.ours)};
}

}  // namespace hearth::shim
