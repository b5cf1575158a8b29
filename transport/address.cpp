#include "transport/address.hpp"

#include <limits.h>
#include <unistd.h>

#include <charconv>

namespace hearth::transport {
namespace {

constexpr std::string_view unix_scheme = "unix:";
constexpr std::string_view tcp_scheme = "tcp:";
constexpr std::string_view loopback = "127.0.0.1:";

tl::unexpected<Error> refuse(std::string_view text, std::string cause, std::string remedy) {
  return tl::unexpected(
      Error{"take the address '" + std::string(text) + "'", std::move(cause), std::move(remedy)});
}

Expected<Address> parse_tcp(std::string_view text, std::string_view place) {
  if (place.substr(0, loopback.size()) != loopback) {
    return refuse(text, "Hearth listens on 127.0.0.1 only",
                  "write tcp:127.0.0.1:PORT, and bring the port elsewhere with ssh -L or -R");
  }
  const std::string_view digits = place.substr(loopback.size());
  std::uint16_t port = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) {
    return refuse(text, "its port is no number from 0 to 65535", "write tcp:127.0.0.1:PORT");
  }
  return TcpAddress{port};
}

}  // namespace

Expected<Address> parse_address(std::string_view text) {
  if (text.substr(0, tcp_scheme.size()) == tcp_scheme)
    return parse_tcp(text, text.substr(tcp_scheme.size()));
  if (text.substr(0, unix_scheme.size()) != unix_scheme) {
    return refuse(text, "it has no scheme", "write unix:PATH or tcp:127.0.0.1:PORT");
  }
  const std::string_view path = text.substr(unix_scheme.size());
  if (path.empty() || path.back() == '/' || path.find('\0') != std::string_view::npos) {
    return refuse(text, "a socket needs a file's name", "write unix:DIRECTORY/NAME");
  }
  return UnixAddress{std::string(path)};
}

std::string to_text(const Address& address) {
  if (const auto* const tcp = std::get_if<TcpAddress>(&address)) {
    return std::string(tcp_scheme).append(loopback) + std::to_string(tcp->port);
  }
  return std::string(unix_scheme) + std::get<UnixAddress>(address).path;
}

Address absolute(Address address) {
  auto* const local = std::get_if<UnixAddress>(&address);
  if (local == nullptr || local->path.front() == '/') return address;
  char here[PATH_MAX];
  if (getcwd(here, sizeof here) != nullptr) local->path = std::string(here) + '/' + local->path;
  return address;
}

}  // namespace hearth::transport
