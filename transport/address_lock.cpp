#include "transport/address_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

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

// Not one that its last holder has removed since it was opened.
bool is_in_place(int fd, int folder, const std::string& name) {
  struct stat opened {};
  struct stat there {};
  return fstat(fd, &opened) == 0 &&
         fstatat(folder, name.c_str(), &there, AT_SYMLINK_NOFOLLOW) == 0 &&
         opened.st_dev == there.st_dev && opened.st_ino == there.st_ino;
}

}  // namespace

Expected<std::optional<AddressLock>> AddressLock::take(const Address& address) {
  AddressLock lock;
  if (const auto* const tcp = std::get_if<TcpAddress>(&address); tcp != nullptr && tcp->port == 0) {
    return std::optional(std::move(lock));
  }
  const std::string path = lock_file_of(address);
  auto folder = open_private_folder(folder_of(path));
  if (!folder) return tl::unexpected(folder.error());
  lock.m_folder = std::move(*folder);
  lock.m_name = name_of(path);
  const int error = lock.lock_file();
  if (error == EWOULDBLOCK) return std::nullopt;
  if (error != 0) return tl::unexpected(Error{"lock " + path, std::strerror(error), {}});
  return std::optional(std::move(lock));
}

AddressLock::~AddressLock() {
  if (!m_fd) return;
  m_fd.reset();
  if (lock_file() == 0) unlinkat(m_folder.get(), m_name.c_str(), 0);
}

int AddressLock::lock_file() {
  do {
    UniqueFd fd(
        openat(m_folder.get(), m_name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd) return errno;
    while (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EINTR) return errno;
    }
    m_fd = std::move(fd);
  } while (!is_in_place(m_fd.get(), m_folder.get(), m_name));
  return 0;
}

}  // namespace hearth::transport
