#include "tunnel/stream_fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "process/open_again.hpp"

namespace hearth::tunnel {
namespace {

// A terminal is said to be writable when a few bytes have room.
constexpr std::size_t cautious_piece = 64;

Transfer outcome(ssize_t result, bool zero_is_end) {
  if (result > 0) return {static_cast<std::size_t>(result), false, 0};
  if (result == 0) return {0, zero_is_end, 0};
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return {};
  return {0, true, errno};
}

}  // namespace

StreamFd StreamFd::own(UniqueFd fd) {
  struct stat file {};
  if (fstat(fd.get(), &file) == 0 && S_ISSOCK(file.st_mode)) return {std::move(fd), Manner::socket};
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  return {std::move(fd), Manner::non_blocking};
}

StreamFd StreamFd::borrow(int fd, Direction direction) {
  struct stat file {};
  if (fstat(fd, &file) != 0) return {};
  if (S_ISSOCK(file.st_mode)) return {duplicate(fd), Manner::socket};
  if (S_ISREG(file.st_mode) || (fcntl(fd, F_GETFL) & O_NONBLOCK) != 0)
    return {duplicate(fd), Manner::non_blocking};
  if (auto again = process::open_again(fd, direction == Direction::in ? O_RDONLY : O_WRONLY))
    return {std::move(again), Manner::non_blocking};
  return {duplicate(fd), Manner::cautious};
}

bool StreamFd::is_ready(short events) const {
  pollfd one{m_fd.get(), events, 0};
  return poll(&one, 1, 0) > 0;
}

bool StreamFd::is_over() const {
  if (isatty(m_fd.get()) == 0) return true;
  pollfd one{m_fd.get(), POLLIN, 0};
  return poll(&one, 1, 0) > 0 && (one.revents & (POLLHUP | POLLERR)) != 0;
}

Transfer StreamFd::read(std::span<std::byte> into) {
  if (m_manner == Manner::cautious && !is_ready(POLLIN)) return {};
  const ssize_t got = m_manner == Manner::socket
                          ? recv(m_fd.get(), into.data(), into.size(), MSG_DONTWAIT)
                          : ::read(m_fd.get(), into.data(), into.size());
  if (got == 0) return {0, is_over(), 0};
  return outcome(got, true);
}

Transfer StreamFd::write(std::span<const std::byte> bytes) {
  if (m_manner == Manner::socket)
    return outcome(send(m_fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL),
                   false);
  if (m_manner == Manner::cautious) {
    if (!is_ready(POLLOUT)) return {};
    bytes = bytes.first(std::min(bytes.size(), cautious_piece));
  }
  return outcome(::write(m_fd.get(), bytes.data(), bytes.size()), false);
}

void StreamFd::end_writing() {
  if (is_socket()) {
    shutdown(m_fd.get(), SHUT_WR);
  } else {
    m_fd.reset();
  }
}

}  // namespace hearth::tunnel
