#include "zygote/surroundings.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

namespace hearth::zygote {
namespace {

constexpr int looked_at_without_proc = 1024;

std::vector<int> open_descriptors() {
  std::vector<int> descriptors;
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) {
    for (int fd = 0; fd < looked_at_without_proc; ++fd) descriptors.push_back(fd);
    return descriptors;
  }
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') descriptors.push_back(std::atoi(entry->d_name));
  }
  closedir(folder);
  return descriptors;
}

}  // namespace

OutputDescriptors::File OutputDescriptors::pipe_at(int descriptor) {
  struct stat status {};
  if (fstat(descriptor, &status) != 0 || !S_ISFIFO(status.st_mode)) return {};
  return {status.st_dev, status.st_ino};
}

void OutputDescriptors::take_standard() {
  m_out = pipe_at(1);
  m_err = pipe_at(2);
}

void OutputDescriptors::find() {
  m_found.clear();
  for (const int fd : {1, 2}) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    const int null = open("/dev/null", O_RDWR);
    if (null != fd) {
      dup2(null, fd);
      close(null);
    }
    m_found.push_back({fd, fd == 2, false});
  }
  for (const int descriptor : open_descriptors()) {
    const File file = pipe_at(descriptor);
    if (!(file == m_out) && !(file == m_err)) continue;
    m_found.push_back(
        {descriptor, !(file == m_out), (fcntl(descriptor, F_GETFD) & FD_CLOEXEC) != 0});
  }
}

void OutputDescriptors::redirect(int out, int err) {
  m_out = pipe_at(out);
  m_err = pipe_at(err);
  for (const Found& found : m_found) {
    dup3(found.is_err ? err : out, found.descriptor, found.close_on_exec ? O_CLOEXEC : 0);
  }
  close(out);
  close(err);
}

}  // namespace hearth::zygote
