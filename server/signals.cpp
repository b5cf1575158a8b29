#include "server/signals.hpp"

#include <signal.h>
#include <sys/signalfd.h>

#include <cerrno>

namespace hearth::server {

Signals::Signals() {
  sigset_t ours;
  sigemptyset(&ours);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGCONT}) {
    sigaddset(&ours, number);
    signal(number, SIG_DFL);
  }
  sigprocmask(SIG_BLOCK, &ours, nullptr);
  m_fd = UniqueFd(signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
}

int Signals::take() const {
  signalfd_siginfo signal{};
  ssize_t got = 0;
  do {
    got = read(m_fd.get(), &signal, sizeof signal);
  } while (got < 0 && errno == EINTR);
  return got == sizeof signal ? static_cast<int>(signal.ssi_signo) : 0;
}

}  // namespace hearth::server
