#include "client/history/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hearth::client {
namespace {

constexpr std::size_t buffered = std::size_t{256} * 1024;  // bytes before they are written

std::string remedy(int code) {
  switch (code) {
    case ENOSPC:
    case EDQUOT:
      return "make room on the disk; what was recorded before is as it was";
    case EFBIG:
      return "raise the limit on the size of files (ulimit -f); what was recorded before is as it "
             "was";
    case EACCES:
    case EPERM:
      return "make it writable for you";
    case EROFS:
      return "the file system is mounted read-only: work in a copy that can be written";
    default:
      return "";
  }
}

// As the kernel's own temporary files: the umask decides.
constexpr mode_t file_mode = 0666;

int open_named(const std::string& directory, std::string& name) {
  name = directory + "/.hearth-XXXXXX";
  const int fd = mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) return fd;
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(fd, file_mode & ~mask);
  return fd;
}

}  // namespace

Error system_error(std::string attempted, int code) {
  return {std::move(attempted), std::strerror(code), remedy(code)};
}

bool exists(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0;
}

Expected<void> read_pieces(const std::string& path,
                           const std::function<void(std::string_view)>& sink) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return tl::unexpected(system_error("read " + path, errno));
  std::string piece(buffered, '\0');
  int failed = 0;
  for (;;) {
    const auto size = ::read(fd, piece.data(), piece.size());
    if (size == 0) break;
    if (size > 0) {
      sink(std::string_view(piece).substr(0, static_cast<std::size_t>(size)));
    } else if (errno != EINTR) {
      failed = errno;
      break;
    }
  }
  close(fd);
  if (failed != 0) return tl::unexpected(system_error("read " + path, failed));
  return {};
}

Expected<std::string> read_file(const std::string& path) {
  std::string content;
  const auto read = read_pieces(path, [&](std::string_view piece) { content += piece; });
  if (!read) return tl::unexpected(read.error());
  return content;
}

Expected<NewFile> NewFile::in(const std::string& directory) {
  std::string name;
  int fd = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, file_mode);
  // What file systems and kernels without O_TMPFILE say.
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
    fd = open_named(directory, name);
  if (fd < 0) return tl::unexpected(system_error("write to " + directory, errno));
  return NewFile(directory, std::move(name), fd);
}

NewFile::NewFile(NewFile&& other) noexcept
    : m_directory(std::move(other.m_directory)),
      m_name(std::exchange(other.m_name, {})),
      m_fd(std::exchange(other.m_fd, -1)),
      m_errno(other.m_errno),
      m_size(other.m_size),
      m_buffer(std::move(other.m_buffer)) {}

int write_all(int fd, protocol::ByteView bytes) {
  while (!bytes.empty()) {
    const auto size = ::write(fd, bytes.data(), bytes.size());
    if (size >= 0)
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    else if (errno != EINTR)
      return errno;
  }
  return 0;
}

NewFile::~NewFile() {
  if (m_fd >= 0) close(m_fd);
  if (!m_name.empty()) unlink(m_name.c_str());
}

void NewFile::write(std::string_view text) {
  m_buffer += text;
  m_size += text.size();
  if (m_buffer.size() >= buffered) flush();
}

bool NewFile::flush() {
  if (m_errno == 0) m_errno = write_all(m_fd, protocol::as_bytes(m_buffer));
  m_buffer.clear();
  return m_errno == 0;
}

bool NewFile::link(const std::string& path) {
  if (!m_name.empty()) return ::link(m_name.c_str(), path.c_str()) == 0;
  const std::string self = "/proc/self/fd/" + std::to_string(m_fd);
  return linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0;
}

Expected<bool> NewFile::put_as_new(const std::string& path) {
  if (!flush()) return tl::unexpected(system_error("write " + path, m_errno));
  if (link(path)) return true;
  if (errno == EEXIST) return false;
  return tl::unexpected(system_error("write " + path, errno));
}

Expected<void> NewFile::put(const std::string& path) {
  const std::string beside = path + ".new";
  unlink(beside.c_str());  // of a writer that was killed
  const auto linked = put_as_new(beside);
  if (!linked)
    return tl::unexpected(Error{"write " + path, linked.error().cause, linked.error().remedy});
  if (!*linked)
    return tl::unexpected(Error{"write " + path, beside + " is in the way", "remove it"});
  if (rename(beside.c_str(), path.c_str()) == 0) return {};
  const int code = errno;
  unlink(beside.c_str());
  return tl::unexpected(system_error("write " + path, code));
}

Expected<void> replace_file(const std::string& path, std::string_view content) {
  const auto slash = path.find_last_of('/');
  auto file = NewFile::in(slash == std::string::npos ? "." : path.substr(0, slash));
  if (!file) return tl::unexpected(Error{"write " + path, file.error().cause, file.error().remedy});
  file->write(content);
  return file->put(path);
}

}  // namespace hearth::client
