// A file that a report is written to as the run goes on.
#pragma once

#include <string>
#include <string_view>

#include "protocol/error.hpp"

namespace hearth::client {

class ReportFile {
 public:
  // `path`: a file, which is replaced, or "-" for stdout.
  [[nodiscard]] static Expected<ReportFile> open(const std::string& path);
  // `fd` is closed with the file, unless it is stdout or stderr. `name`: for its errors.
  ReportFile(std::string name, int fd) : m_name(std::move(name)), m_fd(fd) {}
  ReportFile(ReportFile&& other) noexcept;
  ReportFile& operator=(ReportFile&&) = delete;
  ~ReportFile();

  void write(std::string_view text);
  // Hands everything over to the system. An error once anything could not be written.
  Expected<void> flush();
  [[nodiscard]] int fd() const { return m_fd; }

 private:
  std::string m_name;
  int m_fd;
  int m_errno = 0;
  std::string m_buffer;
};

}  // namespace hearth::client
