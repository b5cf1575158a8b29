#include "client/attach/daemon.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "client/attach/log_keeper.hpp"
#include "client/text.hpp"
#include "process/children.hpp"
#include "process/deadline.hpp"
#include "process/title.hpp"

namespace hearth::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t lines_shown = 10;  // of what a server said that could not start

void close_range(unsigned from, unsigned to) {
  if (from <= to) syscall(SYS_close_range, from, to, 0);
}

// All but 0 to 2 and `kept`, whoever gave them to us.
template <std::size_t count>
void close_others(std::array<int, count> kept) {
  std::sort(kept.begin(), kept.end());
  unsigned from = STDERR_FILENO + 1;
  for (const int fd : kept) {
    close_range(from, static_cast<unsigned>(fd) - 1);
    from = static_cast<unsigned>(fd) + 1;
  }
  close_range(from, ~0U);
}

// Two forks, so that it is nobody's child, and no leader of its session: no terminal can become
// its own.
[[noreturn]] void become_log_keeper(const Daemon& daemon, LogFile log, UniqueFd starter) {
  setsid();
  if (fork() != 0) _exit(0);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(null, fd);
  close_others(std::array{log.file_fd(), log.folder_fd(), starter.get()});
  process::set_title(process::daemon_name, "hearth: log keeper of a server");
  LogKeeper(daemon.command, log, std::move(starter)).keep();
  _exit(0);
}

std::string last_words(const std::string& said) {
  const std::string text = printable(last_lines(said, lines_shown));
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

class Start {
 public:
  explicit Start(const Daemon& daemon) : m_daemon(daemon) {}

  Expected<void> run() {
    auto log = LogFile::open(m_daemon.log_path);
    if (!log) return tl::unexpected(log.error());
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return error(std::strerror(errno));
    const UniqueFd from_keeper(ends[0]);
    UniqueFd to_starter(ends[1]);
    const pid_t pid = fork();
    if (pid == 0) become_log_keeper(m_daemon, std::move(*log), std::move(to_starter));
    if (pid < 0) return error(std::strerror(errno));
    to_starter.reset();
    while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
    return wait(from_keeper.get());
  }

 private:
  Expected<void> wait(int keeper) {
    const auto until = Clock::now() + m_daemon.patience;
    std::string said;
    for (;;) {
      const int left = process::milliseconds_until(until);
      if (left <= 0) return error("it does not listen after " + duration_text(m_daemon.patience));
      pollfd fd{keeper, POLLIN, 0};
      if (poll(&fd, 1, left) <= 0) continue;
      std::array<char, 4096> buffer{};
      const auto size = read(keeper, buffer.data(), buffer.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      said.append(buffer.data(), static_cast<std::size_t>(size));
      if (said.front() == server_listens) return {};
    }
    if (said.empty()) return error("its log keeper was lost");
    return error("it ended before it listened, and said:\n" + last_words(said.substr(1)) + "\n");
  }

  tl::unexpected<Error> error(std::string cause) const {
    return tl::unexpected(
        Error{"start the server", std::move(cause), "its log is " + m_daemon.log_path});
  }

  const Daemon& m_daemon;
};

}  // namespace

Expected<void> start_daemon(const Daemon& daemon) {
  return Start(daemon).run();
}

}  // namespace hearth::client
