#include "client/link/server_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "process/fork_exec.hpp"
#include "process/wait_status.hpp"

extern "C" char** environ;

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

// Signals as a shell would leave them, whatever we do with ours.
void set_attributes(posix_spawnattr_t& attributes) {
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t defaults;
  sigemptyset(&defaults);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&defaults, signal);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
}

int spawn_with(const std::vector<std::string>& command, const Pipe& in, const Pipe& out,
               const Pipe& err, pid_t& pid) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.read_end, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.write_end, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end, STDERR_FILENO);
  posix_spawnattr_t attributes;
  set_attributes(attributes);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const int error =
      posix_spawn(&pid, command.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

Expected<ServerProcess> start_server(const std::vector<std::string>& command) {
  Pipe in;
  Pipe out;
  Pipe err;
  ServerProcess server;
  int error = 0;
  if (!in.open() || !out.open() || !err.open()) error = errno;
  if (error == 0) error = spawn_with(command, in, out, err, server.pid);
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
