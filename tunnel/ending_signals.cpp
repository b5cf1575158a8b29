#include "tunnel/ending_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

namespace hearth::tunnel {

EndingSignals::EndingSignals() {
  signal(SIGPIPE, SIG_IGN);
  sigset_t ending;
  sigemptyset(&ending);
  for (const int one : {SIGHUP, SIGINT, SIGQUIT, SIGTERM}) sigaddset(&ending, one);
  sigprocmask(SIG_BLOCK, &ending, &m_before);
  m_fd = UniqueFd(signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK));
}

EndingSignals::~EndingSignals() {
  sigprocmask(SIG_SETMASK, &m_before, nullptr);
}

int EndingSignals::take() const {
  signalfd_siginfo info{};
  return read(m_fd.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace hearth::tunnel
