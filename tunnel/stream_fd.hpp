// A descriptor that is read and written without ever waiting, whatever it is and whoever else has
// it. O_NONBLOCK belongs to the open file description, which an inherited descriptor shares with
// the shell and others: there it is left as it is found.
#pragma once

#include <cstddef>
#include <span>

#include "process/unique_fd.hpp"

namespace hearth::tunnel {

// What a read or a write came to.
struct Transfer {
  std::size_t size = 0;  // bytes
  bool over = false;     // end of file, or an error: nothing more goes this way
  int error = 0;         // of errno; 0: end of file
};

enum class Direction : unsigned char { in, out };

class StreamFd {
 public:
  StreamFd() = default;
  // One that nobody else has, a pipe's or socket's end: it is made non-blocking.
  [[nodiscard]] static StreamFd own(UniqueFd fd);
  // Another descriptor of the same, inherited one; what `fd` names stays as it is.
  [[nodiscard]] static StreamFd borrow(int fd, Direction direction);

  // {0, false}: nothing there, or no room, for now.
  [[nodiscard]] Transfer read(std::span<std::byte> into);
  [[nodiscard]] Transfer write(std::span<const std::byte> bytes);
  // No more is written: a socket says so to its peer, and can still be read.
  void end_writing();
  void reset() { m_fd.reset(); }

  [[nodiscard]] int get() const { return m_fd.get(); }
  [[nodiscard]] bool is_socket() const { return m_manner == Manner::socket; }
  explicit operator bool() const { return static_cast<bool>(m_fd); }

 private:
  enum class Manner : unsigned char {
    non_blocking,  // an open file description of our own
    socket,        // MSG_DONTWAIT
    cautious,      // asked first, and in pieces that should not block
  };
  StreamFd(UniqueFd fd, Manner manner) : m_fd(std::move(fd)), m_manner(manner) {}
  [[nodiscard]] bool is_ready(short events) const;
  // Is end of file the end? On a terminal it may be a Ctrl-D of the line's noise.
  [[nodiscard]] bool is_over() const;

  UniqueFd m_fd;
  Manner m_manner = Manner::non_blocking;
};

}  // namespace hearth::tunnel
