#include "tunnel/raw_terminal.hpp"

#include <cerrno>

namespace hearth::tunnel {
namespace {

// TCSANOW: to wait until a stopped terminal has taken its output could be for ever.
void set(int fd, const termios& settings) {
  while (tcsetattr(fd, TCSANOW, &settings) != 0 && errno == EINTR) {
  }
}

}  // namespace

RawTerminal::RawTerminal(int fd) : m_fd(fd) {
  termios settings{};
  if (tcgetattr(fd, &settings) != 0) return;
  m_before = settings;
  const tcflag_t control = settings.c_cflag;
  cfmakeraw(&settings);
  settings.c_cflag = control;
  set(fd, settings);
}

void RawTerminal::restore() {
  if (m_before) set(m_fd, *m_before);
  m_before.reset();
}

}  // namespace hearth::tunnel
