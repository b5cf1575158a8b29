#include "transport/address_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>

#include "transport/private_folder.hpp"

namespace hearth::transport {
namespace {

std::string lock_file_of(const Address& address) {
  if (const auto* const tcp = std::get_if<TcpAddress>(&address)) {
    return runtime_folder() + "/tcp-" + std::to_string(tcp->port) + ".lock";
  }
  return std::get<UnixAddress>(address).path + ".lock";
}

}  // namespace

Expected<std::optional<AddressLock>> AddressLock::take(const Address& address) {
  if (const auto* const tcp = std::get_if<TcpAddress>(&address); tcp != nullptr && tcp->port == 0) {
    return std::optional(AddressLock(UniqueFd()));
  }
  const std::string path = lock_file_of(address);
  auto folder = open_private_folder(folder_of(path));
  if (!folder) return tl::unexpected(folder.error());
  UniqueFd fd(openat(folder->get(), name_of(path).c_str(),
                     O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return tl::unexpected(Error{"open the lock " + path, std::strerror(errno), {}});
  while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return std::nullopt;
    if (errno != EINTR) return tl::unexpected(Error{"lock " + path, std::strerror(errno), {}});
  }
  return std::optional(AddressLock(std::move(fd)));
}

}  // namespace hearth::transport
