#include "transport/connect.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "transport/private_folder.hpp"
#include "transport/socket_name.hpp"

namespace hearth::transport {
namespace {

constexpr timeval patience{30, 0};

using Connected = tl::expected<UniqueFd, ConnectFailure>;

Connected refuse(const Address& address, int error) {
  const bool absent = error == ENOENT || error == ENOTDIR || error == ECONNREFUSED;
  return tl::unexpected(ConnectFailure{
      absent,
      {"connect to " + to_text(address), absent ? "no server listens there" : std::strerror(error),
       absent ? "start one with `hearth serve --listen " + to_text(address) + " PROGRAM...`"
              : std::string()}});
}

// 0, or the error.
int connect_within_patience(int fd, const sockaddr* name, socklen_t size) {
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (::connect(fd, name, size) != 0)
    return errno == EINPROGRESS || errno == EAGAIN ? ETIMEDOUT : errno;
  const timeval none{};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof none);
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  return 0;
}

Connected connect_unix(const UnixAddress& address) {
  const std::string folder_path = folder_of(address.path);
  const UniqueFd folder(open(folder_path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return refuse(address, errno);
  const auto name = socket_name(folder.get(), folder_path, name_of(address.path));
  if (!name) return refuse(address, ENAMETOOLONG);
  UniqueFd fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return refuse(address, errno);
  if (const int error = connect_within_patience(fd.get(), reinterpret_cast<const sockaddr*>(&*name),
                                                sizeof *name)) {
    return refuse(address, error);
  }
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) {
    return tl::unexpected(
        ConnectFailure{false,
                       {"connect to " + to_text(address),
                        "the server there is another user's (uid " + std::to_string(peer.uid) + ")",
                        "choose a socket in a directory of your own"}});
  }
  return fd;
}

Connected connect_tcp(const TcpAddress& address) {
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd) return refuse(address, errno);
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(address.port);
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (const int error = connect_within_patience(fd.get(), reinterpret_cast<const sockaddr*>(&name),
                                                sizeof name)) {
    return refuse(address, error);
  }
  const int on = 1;
  setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

}  // namespace

Connected connect(const Address& address) {
  if (const auto* const tcp = std::get_if<TcpAddress>(&address)) return connect_tcp(*tcp);
  return connect_unix(std::get<UnixAddress>(address));
}

}  // namespace hearth::transport
