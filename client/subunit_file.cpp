#include "client/subunit_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hearth::client {
namespace {

constexpr std::size_t buffered = std::size_t{256} * 1024;  // bytes before they are written

}  // namespace

Expected<SubunitFile> SubunitFile::open(const std::string& path) {
  if (path == "-") return SubunitFile(path, STDOUT_FILENO);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (fd < 0)
    return tl::unexpected(Error{"write the results to " + path, std::strerror(errno), ""});
  return SubunitFile(path, fd);
}

SubunitFile::SubunitFile(SubunitFile&& other) noexcept
    : m_path(std::move(other.m_path)),
      m_fd(std::exchange(other.m_fd, -1)),
      m_errno(other.m_errno),
      m_buffer(std::exchange(other.m_buffer, {})) {}

SubunitFile::~SubunitFile() {
  if (m_fd < 0) return;
  flush();
  if (m_fd != STDOUT_FILENO) close(m_fd);
}

void SubunitFile::write(protocol::ByteView packet) {
  m_buffer.insert(m_buffer.end(), packet.begin(), packet.end());
  if (m_buffer.size() >= buffered) flush();
}

void SubunitFile::write_missing(const MissingTest& test, std::string_view reason,
                                protocol::Timestamp when) {
  protocol::Packet packet;
  packet.status = protocol::TestStatus::fail;
  packet.runnable = true;
  packet.test_id = test.id;
  if (!test.route_code.empty())
    packet.route_code = test.route_code;  // as its other packets have it
  packet.timestamp = when;
  packet.mime_type = "text/plain;charset=utf8";
  packet.file_name = "traceback";
  packet.file_content = protocol::as_bytes(reason);
  packet.eof = true;
  (void)protocol::encode(packet, m_buffer);
  if (m_buffer.size() >= buffered) flush();
}

bool SubunitFile::flush() {
  std::size_t written = 0;
  while (m_errno == 0 && written < m_buffer.size()) {
    const auto size = ::write(m_fd, m_buffer.data() + written, m_buffer.size() - written);
    if (size >= 0)
      written += static_cast<std::size_t>(size);
    else if (errno != EINTR)
      m_errno = errno;
  }
  m_buffer.clear();
  return m_errno == 0;
}

Error SubunitFile::error() const {
  return {"write the results to " + (m_path == "-" ? "stdout" : m_path), std::strerror(m_errno),
          ""};
}

}  // namespace hearth::client
