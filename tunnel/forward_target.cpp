#include "tunnel/forward_target.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace hearth::tunnel {
namespace {

constexpr std::string_view unix_prefix = "unix:";
constexpr char remedy[] = "write it as ADDRESS:PORT, localhost:PORT, [IPV6]:PORT or unix:PATH";

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Error bad(std::string_view target, std::string cause) {
  return {"forward to " + std::string(target), std::move(cause), remedy};
}

Expected<SocketAddress> unix_address(std::string_view target) {
  const auto path = target.substr(unix_prefix.size());
  sockaddr_un address{};
  if (path.empty()) return tl::unexpected(bad(target, "there is no path"));
  if (path.size() >= sizeof address.sun_path)
    return tl::unexpected(bad(target, "the path is longer than 107 bytes"));
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  SocketAddress result;
  std::memcpy(&result.storage, &address, sizeof address);
  result.size = sizeof address;
  return result;
}

Expected<SocketAddress> ip_address(std::string_view target) {
  const auto colon = target.rfind(':');
  if (colon == std::string_view::npos) return tl::unexpected(bad(target, "there is no port"));
  const auto digits = target.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return tl::unexpected(bad(target, "the port is no number from 1 to 65535"));
  std::string host(target.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  SocketAddress result;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    std::memcpy(&result.storage, &v4, result.size = sizeof v4);
  } else if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    std::memcpy(&result.storage, &v6, result.size = sizeof v6);
  } else {
    return tl::unexpected(bad(target, "'" + host + "' is no address; names are not looked up"));
  }
  return result;
}

Expected<SocketAddress> address_of(std::string_view target) {
  if (target.size() > longest_target || target.find('\n') != std::string_view::npos)
    return tl::unexpected(bad(target.substr(0, 40), "it is too long, or has a line end"));
  return target.starts_with(unix_prefix) ? unix_address(target) : ip_address(target);
}

}  // namespace

Expected<void> check_target(const std::string& target) {
  const auto address = address_of(target);
  if (!address) return tl::unexpected(address.error());
  return {};
}

Expected<UniqueFd> connect_to(const std::string& target) {
  const auto address = address_of(target);
  if (!address) return tl::unexpected(address.error());
  UniqueFd fd(socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto* const plain = reinterpret_cast<const sockaddr*>(&address->storage);
  if (!fd || (connect(fd.get(), plain, address->size) != 0 && errno != EINPROGRESS))
    return tl::unexpected(Error{"forward to " + target, std::strerror(errno), ""});
  return fd;
}

}  // namespace hearth::tunnel
