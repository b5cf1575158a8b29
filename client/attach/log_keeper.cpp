#include "client/attach/log_keeper.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "client/link/server_process.hpp"
#include "client/project/shell_command.hpp"
#include "process/children.hpp"
#include "process/fork_exec.hpp"

namespace hearth::client {
namespace {

constexpr std::string_view listening = "hearth: listening on ";
constexpr std::size_t tail_size = std::size_t{8} * 1024;  // bytes

std::string time_text() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  gmtime_r(&now, &parts);
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

bool has_listening_line(std::string_view text) {
  for (auto at = text.find(listening); at != text.npos; at = text.find(listening, at + 1))
    if ((at == 0 || text[at - 1] == '\n') && text.find('\n', at) != text.npos) return true;
  return false;
}

// All descriptors but 0 to 2 are close-on-exec.
void become_server(const char* path, char* const* words, int output, pid_t parent) {
  if (process::die_with_parent(SIGTERM, parent) && dup2(output, STDOUT_FILENO) >= 0 &&
      dup2(output, STDERR_FILENO) >= 0)
    execv(path, words);
}

}  // namespace

void LogKeeper::keep() {
  signal(SIGPIPE, SIG_IGN);
  std::string line;
  for (std::size_t i = 1; i < m_command.size(); ++i)
    line += (line.empty() ? "" : " ") + shell_quoted(m_command[i]);
  m_log.write("hearth: " + time_text() + ": start: " + line + "\n");
  if (!start()) {
    say("hearth: start the server " + m_command.front() + ": " + std::string(std::strerror(errno)) +
        "\n");
    return tell_starter(server_failed + m_tail);
  }
  std::array<pollfd, 2> fds{{{m_output.get(), POLLIN, 0}, {m_process.get(), POLLIN, 0}}};
  while (fds[1].revents == 0) {
    if (poll(fds.data(), fds.size(), -1) < 0) continue;
    if (fds[0].revents != 0 && copy() == Copied::all) fds[0].fd = -1;
  }
  // Others may hold the pipe open, but what the server said is in it.
  while (copy() == Copied::some) continue;
  int status = 0;
  while (waitpid(m_pid, &status, 0) < 0 && errno == EINTR) continue;
  say("hearth: " + time_text() + ": the server " + describe_end(status) + "\n");
  tell_starter(server_failed + m_tail);
}

// False: errno says why.
bool LogKeeper::start() {
  FdPair output;
  if (!process::make_pipe(output)) return false;
  fcntl(output.ours.get(), F_SETFL, O_NONBLOCK);
  const std::vector<std::string> arguments(m_command.begin() + 1, m_command.end());
  const auto words = process::exec_list(arguments);
  const pid_t keeper = getpid();
  const auto [pid, error] = process::fork_exec(
      [&] { become_server(m_command.front().c_str(), words.data(), output.theirs.get(), keeper); });
  errno = error;
  if (error != 0) return false;
  m_pid = pid;
  m_output = std::move(output.ours);
  m_process = process::open_pid(m_pid);
  if (!m_process) kill(m_pid, SIGKILL);
  return static_cast<bool>(m_process);
}

LogKeeper::Copied LogKeeper::copy() {
  std::array<char, 16384> buffer{};
  const auto size = read(m_output.get(), buffer.data(), buffer.size());
  if (size < 0) return errno == EINTR ? Copied::some : Copied::nothing_yet;
  if (size == 0) return Copied::all;
  say({buffer.data(), static_cast<std::size_t>(size)});
  return Copied::some;
}

void LogKeeper::say(std::string_view text) {
  m_log.write(text);
  if (!m_starter) return;
  m_tail.append(text);
  if (has_listening_line(m_tail)) return tell_starter({&server_listens, 1});
  if (m_tail.size() > tail_size) m_tail.erase(0, m_tail.size() - tail_size);
}

// It fits into the pipe.
void LogKeeper::tell_starter(std::string_view word) {
  if (!m_starter) return;
  (void)!write(m_starter.get(), word.data(), word.size());
  m_starter.reset();
  m_tail = {};
}

}  // namespace hearth::client
