// A terminal made to carry bytes as they are, for as long as this object lives.
#pragma once

#include <termios.h>

#include <optional>

namespace hearth::tunnel {

// As cfmakeraw(), but for the line's own settings (speed, bits, parity), which are the other end's
// too. Does nothing where `fd` is no terminal, or one that cannot be set.
class RawTerminal {
 public:
  explicit RawTerminal(int fd);
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() { restore(); }
  void restore();

 private:
  int m_fd;
  std::optional<termios> m_before;
};

}  // namespace hearth::tunnel
