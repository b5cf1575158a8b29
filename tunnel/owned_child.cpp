#include "tunnel/owned_child.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "process/fork_exec.hpp"
#include "tunnel/console_settings.hpp"

namespace hearth::tunnel {

OwnedChild::OwnedChild(pid_t pid, bool group)
    : m_pid(pid), m_group(group), m_pid_fd(process::open_pid(pid)) {}

OwnedChild::OwnedChild(OwnedChild&& other) noexcept
    : m_pid(std::exchange(other.m_pid, -1)),
      m_group(other.m_group),
      m_pid_fd(std::move(other.m_pid_fd)),
      m_status(other.m_status) {}

OwnedChild::~OwnedChild() {
  if (m_pid > 0) end(0, 0);
}

void OwnedChild::send(int signal) const {
  if (m_pid > 0 && !m_status) kill(m_group ? -m_pid : m_pid, signal);
}

std::optional<int> OwnedChild::status(int wait_ms) {
  if (m_status || m_pid <= 0) return m_status;
  const auto until = steady_now() + protocol::armour::Time(wait_ms);
  for (;;) {
    // The group goes before its leader is reaped: until then its number is nobody else's.
    siginfo_t ended{};
    if (waitid(P_PID, static_cast<id_t>(m_pid), &ended, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        ended.si_pid == m_pid) {
      if (m_group) kill(-m_pid, SIGKILL);
      int status = 0;
      while (waitpid(m_pid, &status, 0) < 0 && errno == EINTR) {
      }
      return m_status = status;
    }
    const auto left = (until - steady_now()).count();
    if (left <= 0) return std::nullopt;
    pollfd one{m_pid_fd.get(), POLLIN, 0};
    poll(&one, 1, static_cast<int>(left));
  }
}

int OwnedChild::end(int patience_ms, int grace_ms) {
  if (const auto ended = status(patience_ms)) return *ended;
  send(SIGTERM);
  if (const auto ended = status(grace_ms)) return *ended;
  send(SIGKILL);
  const auto ended = status(60'000);
  return ended.value_or(SIGKILL);
}

}  // namespace hearth::tunnel
