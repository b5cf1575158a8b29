#include "shim/descriptor_end.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "process/open_again.hpp"

namespace hearth::shim {
namespace {

mode_t type_of(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

// Without one of our own the descriptor as it is: a socket needs none, and a file never blocks.
UniqueFd own_description(UniqueFd fd, int access) {
  UniqueFd again = process::open_again(fd.get(), access);
  return again ? std::move(again) : std::move(fd);
}

bool would_wait(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

DescriptorEnd::DescriptorEnd(UniqueFd in, UniqueFd out, std::string pending)
    : m_in(own_description(std::move(in), O_RDONLY)),
      m_out(own_description(std::move(out), O_WRONLY)),
      m_pending(std::move(pending)),
      m_in_is_socket(type_of(m_in.get()) == S_IFSOCK),
      m_out_is_socket(type_of(m_out.get()) == S_IFSOCK),
      m_out_is_pipe(type_of(m_out.get()) == S_IFIFO),
      m_out_may_block(!m_out_is_socket && (fcntl(m_out.get(), F_GETFL) & O_NONBLOCK) == 0) {}

void DescriptorEnd::watch(PollList& list, bool wants_input, bool wants_output) {
  m_readable = false;
  if (wants_input && !m_ended) list.add(m_in.get(), POLLIN);
  // Without anything to write, too: its reader's going is to be noticed.
  if (m_lost.empty()) list.add(m_out.get(), wants_output ? POLLOUT : 0);
}

void DescriptorEnd::work(const PollList& list) {
  m_readable = (list.events(m_in.get()) & (POLLIN | POLLHUP | POLLERR | POLLNVAL)) != 0;
  const short out = list.events(m_out.get());
  if (m_out_is_socket ? (out & (POLLERR | POLLHUP)) != 0 : (out & POLLERR) != 0) lose(EPIPE);
}

std::size_t DescriptorEnd::read(std::span<std::byte> room) {
  if (!m_pending.empty()) {
    const std::size_t size = std::min(room.size(), m_pending.size());
    std::memcpy(room.data(), m_pending.data(), size);
    m_pending.erase(0, size);
    return size;
  }
  if (!m_readable || m_ended || room.empty()) return 0;
  const ssize_t got = m_in_is_socket ? recv(m_in.get(), room.data(), room.size(), MSG_DONTWAIT)
                                     : ::read(m_in.get(), room.data(), room.size());
  m_readable = false;
  if (got > 0) return static_cast<std::size_t>(got);
  if (got == 0 || !would_wait(errno)) m_ended = true;
  return 0;
}

std::size_t DescriptorEnd::write(protocol::ByteView bytes) {
  std::size_t written = 0;
  while (written < bytes.size() && m_lost.empty()) {
    std::size_t size = bytes.size() - written;
    if (m_out_may_block) {
      // As much as a pipe takes at once when it takes anything.
      pollfd room{m_out.get(), POLLOUT, 0};
      if (poll(&room, 1, 0) != 1) break;
      size = std::min<std::size_t>(size, 4096);
    }
    const ssize_t put = m_out_is_socket ? send(m_out.get(), bytes.data() + written, size,
                                               MSG_DONTWAIT | MSG_NOSIGNAL)
                                        : ::write(m_out.get(), bytes.data() + written, size);
    if (put >= 0) {
      written += static_cast<std::size_t>(put);
      if (static_cast<std::size_t>(put) < size) break;
    } else if (errno != EINTR) {
      if (!would_wait(errno)) lose(errno);
      break;
    }
  }
  return written;
}

std::optional<std::size_t> DescriptorEnd::write_from(int from, std::size_t size) {
  if (!m_out_is_pipe || m_out_may_block || !m_lost.empty()) return std::nullopt;
  const ssize_t moved =
      splice(from, nullptr, m_out.get(), nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  if (moved <= 0) return std::nullopt;
  return static_cast<std::size_t>(moved);
}

void DescriptorEnd::lose(int error) {
  if (m_lost.empty()) m_lost = std::strerror(error);
}

}  // namespace hearth::shim
