// Files of a repository: read whole; written beside and put in their place once they are complete,
// so that a failed write leaves what was there; and the lock that two writers share. Errors name
// the file, the cause and the way out.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/error.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::client {

// What `errno` means for somebody who wanted to do `attempted`.
[[nodiscard]] Error system_error(std::string attempted, int code);

// The whole file. One that is not there is an error with cause "No such file or directory".
[[nodiscard]] Expected<std::string> read_file(const std::string& path);
// Hands over the file piece by piece, for those that are too large to be held.
[[nodiscard]] Expected<void> read_pieces(const std::string& path,
                                         const std::function<void(std::string_view)>& sink);
[[nodiscard]] bool exists(const std::string& path);
// The errno of what failed; 0: all is written.
[[nodiscard]] int write_all(int fd, protocol::ByteView bytes);

// A file that nobody sees until it is put in its place. Buffered; after a failed write the others
// do nothing, and putting it in its place tells why.
class NewFile {
 public:
  // In `directory`, where it is to be put: without a name, if the file system can do that.
  [[nodiscard]] static Expected<NewFile> in(const std::string& directory);
  NewFile(NewFile&& other) noexcept;
  NewFile& operator=(NewFile&&) = delete;
  ~NewFile();

  void write(std::string_view text);
  // Under a name that is not taken. False: it is taken; another may be tried.
  [[nodiscard]] Expected<bool> put_as_new(const std::string& path);
  // Under a name that may be taken: in one step, by way of PATH.new.
  [[nodiscard]] Expected<void> put(const std::string& path);
  [[nodiscard]] std::size_t size() const { return m_size; }

 private:
  NewFile(std::string directory, std::string name, int fd)
      : m_directory(std::move(directory)), m_name(std::move(name)), m_fd(fd) {}
  bool flush();
  [[nodiscard]] bool link(const std::string& path);

  std::string m_directory;
  std::string m_name;  // empty: it has none
  int m_fd;
  int m_errno = 0;
  std::size_t m_size = 0;
  std::string m_buffer;
};

// Writes a whole file, beside and renamed.
[[nodiscard]] Expected<void> replace_file(const std::string& path, std::string_view content);

// The lock of a repository: flock() of its directory, which leaves nothing behind there. Held until
// destroyed.
class DirectoryLock {
 public:
  // Waits at most `patience` for another holder; then the error says who that is. A file system
  // that has no locks is used without.
  [[nodiscard]] static Expected<DirectoryLock> take(const std::string& directory,
                                                    std::chrono::milliseconds patience);
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;
  ~DirectoryLock();

 private:
  explicit DirectoryLock(int fd) : m_fd(fd) {}
  int m_fd;
};

}  // namespace hearth::client
