#include "client/project/shell_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "client/link/server_process.hpp"
#include "client/text.hpp"

extern "C" char** environ;

namespace hearth::client {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t most_output = std::size_t{1} << 20;
constexpr std::size_t stderr_lines = 10;  // in an error
constexpr auto grace = std::chrono::seconds(2);

// A descriptor, closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : m_fd(fd) {}
  Descriptor(Descriptor&& other) noexcept : m_fd(std::exchange(other.m_fd, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(m_fd, other.m_fd);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset() {
    if (m_fd >= 0) close(std::exchange(m_fd, -1));
  }
  [[nodiscard]] int get() const { return m_fd; }

 private:
  int m_fd = -1;
};

// Holds SIGINT, SIGTERM and SIGHUP back, to be read from a descriptor.
class HeldSignals {
 public:
  HeldSignals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &m_before);
    m_fd = Descriptor(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  ~HeldSignals() { sigprocmask(SIG_SETMASK, &m_before, nullptr); }
  [[nodiscard]] int fd() const { return m_fd.get(); }
  // The signal that has come, if any.
  [[nodiscard]] std::optional<int> take() const {
    signalfd_siginfo info{};
    if (read(m_fd.get(), &info, sizeof info) != sizeof info) return std::nullopt;
    return static_cast<int>(info.ssi_signo);
  }

 private:
  sigset_t m_before{};
  Descriptor m_fd;
};

class Run {
 public:
  explicit Run(const ShellCommand& command) : m_command(command) {}
  Expected<ShellOutput> run();

 private:
  [[nodiscard]] int start();
  std::optional<std::string> wait();
  void give_up();
  void read_from(Descriptor& from, std::string& text) const;
  [[nodiscard]] bool ended_within(std::chrono::milliseconds time) const;
  [[nodiscard]] Error error(std::string cause) const;

  const ShellCommand& m_command;
  HeldSignals m_signals;
  pid_t m_pid = -1;
  Descriptor m_process;
  Descriptor m_out;
  Descriptor m_err;
  ShellOutput m_output;
};

bool open_pipe(Descriptor& read_end, Descriptor& write_end) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
  read_end = Descriptor(ends[0]);
  write_end = Descriptor(ends[1]);
  return fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0;
}

// 0, or the errno.
int Run::start() {
  Descriptor out;
  Descriptor err;
  if (!open_pipe(m_out, out) || !open_pipe(m_err, err)) return errno;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.get(), STDERR_FILENO);
  posix_spawn_file_actions_addchdir_np(&actions, m_command.directory.c_str());
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  posix_spawnattr_setsigmask(&attributes, &signals);
  for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&signals, signal);
  posix_spawnattr_setsigdefault(&attributes, &signals);
  auto text = m_command.text;
  std::array<char, 3> shell{"sh"};
  std::array<char, 3> option{"-c"};
  const std::array<char*, 4> arguments{shell.data(), option.data(), text.data(), nullptr};
  int failed = posix_spawn(&m_pid, "/bin/sh", &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) return failed;
  m_process = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, m_pid, 0)));
  return m_process.get() < 0 ? errno : 0;
}

void Run::read_from(Descriptor& from, std::string& text) const {
  std::array<char, 16384> buffer{};
  while (from.get() >= 0 && text.size() <= most_output) {
    const auto size = read(from.get(), buffer.data(), buffer.size());
    if (size > 0) text.append(buffer.data(), static_cast<std::size_t>(size));
    if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) from.reset();
    if (size < 0 && errno == EAGAIN) return;
  }
}

// Until the command has ended: a background process of it may hold its pipes for longer. The reason
// why it is given up earlier, if it is.
std::optional<std::string> Run::wait() {
  const auto until = Clock::now() + m_command.limit;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0)
      return "it took longer than " + duration_text(m_command.limit) + " and was stopped";
    std::array<pollfd, 4> fds{{{m_process.get(), POLLIN, 0},
                               {m_out.get(), POLLIN, 0},
                               {m_err.get(), POLLIN, 0},
                               {m_signals.fd(), POLLIN, 0}}};
    poll(fds.data(), fds.size(), static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    read_from(m_out, m_output.out);
    read_from(m_err, m_output.err);
    if (std::max(m_output.out.size(), m_output.err.size()) > most_output)
      return "it printed more than 1 MiB and was stopped";
    if (fds[0].revents != 0) return std::nullopt;
    if (const auto signal = m_signals.take())
      return "SIG" + std::string(sigabbrev_np(*signal)) + " came, and it was stopped";
  }
}

bool Run::ended_within(std::chrono::milliseconds time) const {
  pollfd process{m_process.get(), POLLIN, 0};
  return poll(&process, 1, static_cast<int>(time.count())) > 0;
}

void Run::give_up() {
  kill(-m_pid, SIGTERM);
  (void)ended_within(grace);
  kill(-m_pid, SIGKILL);
}

Error Run::error(std::string cause) const {
  const auto said = last_lines(m_output.err, stderr_lines);
  if (!said.empty()) cause += "; its stderr ends with:\n" + printable(said);
  while (cause.ends_with('\n')) cause.pop_back();
  return {"run " + m_command.key + " (" + printable_line(m_command.text) + ")", cause, ""};
}

Expected<ShellOutput> Run::run() {
  if (const int failed = start(); failed != 0) {
    if (m_pid > 0) {
      kill(-m_pid, SIGKILL);
      waitpid(m_pid, nullptr, 0);
    }
    return tl::unexpected(
        error("sh cannot be started in " + m_command.directory + ": " + std::strerror(failed)));
  }
  const auto given_up = wait();
  if (given_up) give_up();
  int status = 0;
  while (waitpid(m_pid, &status, 0) < 0 && errno == EINTR) continue;
  if (given_up) return tl::unexpected(error(*given_up));
  if (status != 0) return tl::unexpected(error("it " + describe_end(status)));
  return std::move(m_output);
}

}  // namespace

Expected<ShellOutput> run_shell(const ShellCommand& command) {
  return Run(command).run();
}

std::string shell_quoted(const std::string& word) {
  static constexpr std::string_view plain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace hearth::client
