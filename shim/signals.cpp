#include "shim/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace hearth::shim {

Signals::Signals(pid_t keeper) : m_keeper(keeper) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGCHLD, SIG_DFL);
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT, SIGCHLD}) {
    sigaddset(&ours, number);
  }
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  m_fd = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
}

int Signals::take() {
  signalfd_siginfo info;
  while (read(m_fd.get(), &info, sizeof info) == sizeof info) {
    const auto number = static_cast<int>(info.ssi_signo);
    if (number == SIGCHLD || !is_copy(number, static_cast<pid_t>(info.ssi_pid))) return number;
  }
  return 0;
}

bool Signals::is_copy(int signal, pid_t sender) {
  const auto now = std::chrono::steady_clock::now();
  if (sender == m_keeper) {
    const bool copy = signal == m_direct && now - m_direct_time < std::chrono::seconds(1);
    if (copy) m_direct = 0;
    return copy;
  }
  m_direct = signal;
  m_direct_time = now;
  return false;
}

bool Signals::abandoned() const {
  return getppid() != m_keeper;
}

}  // namespace hearth::shim
