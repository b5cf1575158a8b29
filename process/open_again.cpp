#include "process/open_again.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>

namespace hearth::process {
namespace {

bool can_be_opened_again(const struct stat& file) {
  const bool is_pty_master =
      S_ISCHR(file.st_mode) && major(file.st_rdev) == 5 && minor(file.st_rdev) == 2;
  return S_ISFIFO(file.st_mode) || (S_ISCHR(file.st_mode) && !is_pty_master);
}

}  // namespace

UniqueFd open_again(int fd, int access) {
  struct stat file {};
  if (fstat(fd, &file) != 0 || !can_be_opened_again(file)) return {};
  char path[32];
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  UniqueFd again(open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  struct stat other {};
  if (!again || fstat(again.get(), &other) != 0) return {};
  const bool same = other.st_dev == file.st_dev && other.st_ino == file.st_ino;
  return same ? std::move(again) : UniqueFd();
}

}  // namespace hearth::process
