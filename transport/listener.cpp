#include "transport/listener.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <functional>

#include "transport/private_folder.hpp"
#include "transport/socket_name.hpp"

namespace hearth::transport {
namespace {

constexpr int backlog = SOMAXCONN;

// Its own for each name, so that one that was left by a killed server is found and replaced.
std::string temporary_name(const std::string& name) {
  char text[40];
  std::snprintf(text, sizeof text, ".hearth-%zx.new", std::hash<std::string>()(name));
  return text;
}

tl::unexpected<Error> refuse(const Address& address, int error, std::string remedy = {}) {
  return tl::unexpected(
      Error{"listen on " + to_text(address), std::strerror(error), std::move(remedy)});
}

}  // namespace

Expected<Listener> Listener::open(const Address& address) {
  if (const auto* const tcp = std::get_if<TcpAddress>(&address)) return open_tcp(*tcp);
  return open_unix(std::get<UnixAddress>(address));
}

Expected<Listener> Listener::open_locked(const Address& address) {
  auto lock = AddressLock::take(address);
  if (!lock) return tl::unexpected(lock.error());
  if (!*lock) {
    return tl::unexpected(Error{"listen on " + to_text(address), "another process listens there",
                                "end it, or choose another address"});
  }
  auto listener = open(address);
  if (listener) listener->m_lock = std::move(*lock);
  return listener;
}

// Bound under another name and then renamed: who finds the socket can connect to it.
Expected<Listener> Listener::open_unix(const UnixAddress& address) {
  const std::string folder_path = folder_of(address.path);
  auto folder = open_private_folder(folder_path);
  if (!folder) return tl::unexpected(folder.error());
  const std::string name = name_of(address.path);
  const std::string temporary = temporary_name(name);
  const auto socket_address = socket_name(folder->get(), folder_path, temporary);
  // Also the name that clients are to connect to.
  if (!socket_address || !socket_name(folder->get(), folder_path, name)) {
    return refuse(address, ENAMETOOLONG, "choose a shorter name for the socket");
  }
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return refuse(address, errno);
  unlinkat(folder->get(), temporary.c_str(), 0);
  fchmod(fd.get(), 0600);  // the mode that the file gets
  struct stat made {};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&*socket_address), sizeof *socket_address) !=
          0 ||
      fchmodat(folder->get(), temporary.c_str(), 0600, 0) != 0 || listen(fd.get(), backlog) != 0 ||
      fstatat(folder->get(), temporary.c_str(), &made, AT_SYMLINK_NOFOLLOW) != 0 ||
      renameat(folder->get(), temporary.c_str(), folder->get(), name.c_str()) != 0) {
    const int error = errno;
    unlinkat(folder->get(), temporary.c_str(), 0);
    return refuse(address, error);
  }
  Listener listener(address, std::move(fd));
  listener.m_folder = std::move(*folder);
  listener.m_inode = made.st_ino;
  return listener;
}

Expected<Listener> Listener::open_tcp(const TcpAddress& address) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return refuse(address, errno);
  const int on = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof name;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&name), size) != 0 ||
      listen(fd.get(), backlog) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&name), &size) != 0) {
    return refuse(address, errno,
                  errno == EADDRINUSE ? "choose another port, or 0 for one that is free" : "");
  }
  return Listener(TcpAddress{ntohs(name.sin_port)}, std::move(fd));
}

void Listener::withdraw() {
  if (!m_folder) return;
  const std::string name = name_of(std::get<UnixAddress>(m_address).path);
  struct stat there {};
  if (fstatat(m_folder.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
      there.st_ino == m_inode) {
    unlinkat(m_folder.get(), name.c_str(), 0);
  }
}

Expected<std::optional<UniqueFd>> Listener::accept() {
  UniqueFd fd(accept4(m_fd.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!fd) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return std::nullopt;
    return tl::unexpected(
        Error{"take a connection to " + to_text(m_address), std::strerror(errno), {}});
  }
  if (std::holds_alternative<TcpAddress>(m_address)) {
    const int on = 1;
    setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return std::optional(std::move(fd));
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) {
    return tl::unexpected(
        Error{"take a connection to " + to_text(m_address),
              "it is another user's (uid " + std::to_string(peer.uid) + "), and was refused",
              {}});
  }
  return std::optional(std::move(fd));
}

}  // namespace hearth::transport
