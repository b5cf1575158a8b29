#include "client/attach/standard_stream.hpp"

#include <limits.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "process/open_again.hpp"

namespace hearth::client {

StandardStream::StandardStream(int fd, int access) : m_fd(fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return;
  m_is_socket = S_ISSOCK(status.st_mode);
  if (!S_ISFIFO(status.st_mode) && isatty(fd) != 1) return;
  m_own = process::open_again(fd, access);
  m_may_wait = !m_own;
}

ssize_t StandardStream::read_some(std::span<char> room) const {
  if (m_is_socket) return recv(m_fd, room.data(), room.size(), MSG_DONTWAIT);
  return read(fd(), room.data(), room.size());
}

ssize_t StandardStream::write_some(std::span<const char> bytes) const {
  if (m_is_socket) return send(m_fd, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  const auto size = m_may_wait ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
  return write(fd(), bytes.data(), size);
}

}  // namespace hearth::client
