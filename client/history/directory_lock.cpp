#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "client/history/files.hpp"

namespace hearth::client {
namespace {

// "process 123 (hearth)", as far as /proc/locks knows who holds the lock of `fd`'s directory.
std::string holder_of(int fd) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return "another process";
  const std::string inode = ":" + std::to_string(status.st_ino);
  std::ifstream locks("/proc/locks");
  // "1: FLOCK  ADVISORY  WRITE 123 fe:01:4711 0 EOF"
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, manner, access, pid, place;
    words >> number >> kind >> manner >> access >> pid >> place;
    if (kind != "FLOCK" || !place.ends_with(inode)) continue;
    std::string name;
    std::getline(std::ifstream("/proc/" + pid + "/comm"), name);
    return "process " + pid + (name.empty() ? "" : " (" + name + ")");
  }
  return "another process";
}

bool has_no_locks(int code) {
  return code == EOPNOTSUPP || code == ENOLCK || code == EBADF || code == ENOSYS || code == EINVAL;
}

}  // namespace

Expected<DirectoryLock> DirectoryLock::take(const std::string& directory,
                                            std::chrono::milliseconds patience) {
  const std::string attempted = "lock " + directory;
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(system_error(attempted, errno));
  DirectoryLock lock(fd);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (has_no_locks(errno)) return lock;
    if (errno != EWOULDBLOCK && errno != EINTR)
      return tl::unexpected(system_error(attempted, errno));
    if (std::chrono::steady_clock::now() >= deadline)
      return tl::unexpected(Error{
          attempted,
          holder_of(fd) + " has held the lock for " + std::to_string(patience.count()) + " ms",
          "wait until it has ended, or end it"});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return lock;
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (m_fd >= 0) close(m_fd);
}

}  // namespace hearth::client
