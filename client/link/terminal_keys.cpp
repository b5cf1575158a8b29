#include "client/link/terminal_keys.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

namespace hearth::client {
namespace {

// The terminal anew, so that what is set for the descriptor (non-blocking) is not set for others'
// stdin.
int open_terminal() {
  if (isatty(STDIN_FILENO) != 1) return -1;
  return open("/proc/self/fd/0", O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

bool in_foreground() {
  return tcgetpgrp(STDIN_FILENO) == getpgrp();
}

}  // namespace

TerminalKeys::TerminalKeys(asio::io_context& io, std::function<void(char)> on_key)
    : m_on_key(std::move(on_key)), m_terminal(io) {
  const int fd = open_terminal();
  if (fd < 0) return;
  m_terminal.assign(fd);
  resume();
}

TerminalKeys::~TerminalKeys() {
  stop();
}

// Signals keep their keys: Ctrl-C, Ctrl-Z.
void TerminalKeys::resume() {
  if (!m_terminal.is_open() || m_before || !in_foreground()) return;
  termios settings{};
  if (tcgetattr(m_terminal.native_handle(), &settings) != 0) return;
  m_before = settings;
  settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
  tcsetattr(m_terminal.native_handle(), TCSANOW, &settings);
  wait();
}

void TerminalKeys::suspend() {
  if (!m_before) return;
  m_terminal.cancel();
  tcsetattr(m_terminal.native_handle(), TCSANOW, &*m_before);
  m_before.reset();
}

void TerminalKeys::stop() {
  if (!m_terminal.is_open()) return;
  suspend();
  ErrorCode ignored;
  m_terminal.close(ignored);
}

void TerminalKeys::wait() {
  m_terminal.async_wait(asio::posix::stream_descriptor::wait_read, [this](ErrorCode error) {
    if (!error && m_before) read_keys();
  });
}

void TerminalKeys::read_keys() {
  std::array<char, 64> keys{};
  const auto size = read(m_terminal.native_handle(), keys.data(), keys.size());
  if (size == 0) return;  // the terminal has gone
  for (ssize_t i = 0; i < size; ++i) m_on_key(keys[static_cast<std::size_t>(i)]);
  if (m_before) wait();
}

}  // namespace hearth::client
