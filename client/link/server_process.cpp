#include "client/link/server_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "process/fork_exec.hpp"
#include "process/wait_status.hpp"

namespace hearth::client {
namespace {

constexpr int pipe_size =
    1 << 20;  // bytes: fewer wake-ups; what the kernel gives less of, we do without

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  bool open() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read_end = ends[0];
    write_end = ends[1];
    (void)fcntl(write_end, F_SETPIPE_SZ, pipe_size);
    return true;
  }
  void close_all() const {
    if (read_end >= 0) close(read_end);
    if (write_end >= 0) close(write_end);
  }
};

void set_non_blocking(int fd) {
  (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

// This program under another path has a name all the same.
constexpr std::string_view this_program = "/proc/self/exe";
constexpr char its_name[] = "hearth";

// Its group is its own; its signals are as ours were when we began, whatever we do with ours.
process::Forked spawn_with(const std::vector<std::string>& command, const Pipe& in, const Pipe& out,
                           const Pipe& err) {
  auto words = process::exec_list(command);
  if (command.front() == this_program) words.front() = const_cast<char*>(its_name);
  return process::fork_exec(
      [&] {
        setpgid(0, 0);
        if (dup2(in.read_end, STDIN_FILENO) >= 0 && dup2(out.write_end, STDOUT_FILENO) >= 0 &&
            dup2(err.write_end, STDERR_FILENO) >= 0)
          execv(command.front().c_str(), words.data());
      },
      STDERR_FILENO, process::Signals::inherited);
}

// LLVM's coverage runtime empties its file when a program starts, unless a variable says that one
// has before: the programs of this client's next servers add to what those of the first have
// written.
void keep_profiles() {
  setenv("__LLVM_PROFILE_RT_INIT_ONCE", "adds", 1);
}

}  // namespace

Expected<ServerProcess> start_server(const std::vector<std::string>& command) {
  Pipe in;
  Pipe out;
  Pipe err;
  ServerProcess server;
  int error = 0;
  if (!in.open() || !out.open() || !err.open()) error = errno;
  if (error == 0) {
    const auto forked = spawn_with(command, in, out, err);
    server.pid = forked.pid;
    error = forked.error;
  }
  if (error == 0) {
    server.pid_fd = process::open_pid(server.pid).release();
    if (server.pid_fd < 0) error = errno;
  }
  if (error != 0) {
    if (server.pid > 0) {
      kill(server.pid, SIGKILL);
      waitpid(server.pid, nullptr, 0);
    }
    for (const auto& pipe : {in, out, err}) pipe.close_all();
    return tl::unexpected(Error{"start the server " + command.front(), std::strerror(error), ""});
  }
  close(in.read_end);
  close(out.write_end);
  close(err.write_end);
  server.in = in.write_end;
  server.out = out.read_end;
  server.err = err.read_end;
  for (const int fd : {server.in, server.out, server.err}) set_non_blocking(fd);
  keep_profiles();
  return server;
}

std::string describe_end(int wait_status) {
  const int status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
  const char* const signal = status > 128 ? sigabbrev_np(status - 128) : nullptr;
  return process::describe_wait_status(wait_status) +
         (signal != nullptr
              ? " (for a shell: a command was killed by SIG" + std::string(signal) + ")"
              : "");
}

}  // namespace hearth::client
