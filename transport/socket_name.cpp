#include "transport/socket_name.hpp"

#include <sys/socket.h>

#include <cstring>

namespace hearth::transport {
namespace {

std::optional<sockaddr_un> fill(const std::string& path) {
  sockaddr_un filled{};
  filled.sun_family = AF_UNIX;
  if (path.size() >= sizeof filled.sun_path) return std::nullopt;
  std::memcpy(filled.sun_path, path.data(), path.size());
  return filled;
}

}  // namespace

std::optional<sockaddr_un> socket_name(int folder, const std::string& folder_path,
                                       const std::string& name) {
  // Straight where it fits: /proc may be missing in a container.
  if (const auto straight = fill(folder_path + '/' + name)) return straight;
  return fill("/proc/self/fd/" + std::to_string(folder) + '/' + name);
}

}  // namespace hearth::transport
