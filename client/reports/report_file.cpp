#include "client/reports/report_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "client/show/display.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t buffered = std::size_t{256} * 1024;  // bytes before they are written

}  // namespace

Expected<ReportFile> ReportFile::open(const std::string& path) {
  if (path == "-") return ReportFile("stdout", STDOUT_FILENO);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return tl::unexpected(Error{"write the results to " + path, std::strerror(errno), ""});
  return ReportFile(path, fd);
}

ReportFile::ReportFile(ReportFile&& other) noexcept
    : m_name(std::move(other.m_name)),
      m_fd(std::exchange(other.m_fd, -1)),
      m_errno(other.m_errno),
      m_buffer(std::exchange(other.m_buffer, {})) {}

ReportFile::~ReportFile() {
  if (m_fd < 0) return;
  (void)flush();
  if (m_fd > STDERR_FILENO) close(m_fd);
}

void ReportFile::write(std::string_view text) {
  m_buffer += text;
  if (m_buffer.size() >= buffered) (void)flush();
}

Expected<void> ReportFile::flush() {
  if (m_errno == 0 && !write_all(m_fd, m_buffer)) m_errno = errno;
  m_buffer.clear();
  if (m_errno == 0) return {};
  return tl::unexpected(Error{"write the results to " + m_name, std::strerror(m_errno), ""});
}

}  // namespace hearth::client
