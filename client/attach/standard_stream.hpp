// Our stdin or stdout, read or written without waiting, and without a change to the flags that it
// shares with whoever gave it to us.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>

#include "process/unique_fd.hpp"

namespace hearth::client {

class StandardStream {
 public:
  // `fd` stays the caller's. `access`: O_RDONLY or O_WRONLY.
  StandardStream(int fd, int access);

  // To poll.
  [[nodiscard]] int fd() const { return m_own ? m_own.get() : m_fd; }
  // As read() and write() do. Call them where poll() says that it is ready.
  [[nodiscard]] ssize_t read_some(std::span<char> room) const;
  [[nodiscard]] ssize_t write_some(std::span<const char> bytes) const;

 private:
  int m_fd;
  bool m_is_socket = false;
  bool m_may_wait = false;  // a write of more than PIPE_BUF bytes might
  UniqueFd m_own;           // the same pipe or terminal, opened anew
};

}  // namespace hearth::client
