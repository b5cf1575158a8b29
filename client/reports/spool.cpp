#include "client/reports/spool.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "client/show/display.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t buffered = std::size_t{256} * 1024;

Error spool_error(const std::string& directory, int number) {
  return {"set results aside in a temporary file in " + directory, std::strerror(number), ""};
}

}  // namespace

Expected<Spool> Spool::open(const std::string& directory) {
  UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) {  // a file system that has no files without names
    auto name = directory + "/.hearth-XXXXXX";
    fd = UniqueFd(mkostemp(name.data(), O_CLOEXEC));
    if (!fd) return tl::unexpected(spool_error(directory, errno));
    unlink(name.c_str());
  }
  return Spool(directory, std::move(fd));
}

Spool::Piece Spool::add(std::string_view text) {
  const Piece piece{m_written + m_buffer.size(), static_cast<std::uint32_t>(text.size())};
  m_buffer += text;
  if (m_buffer.size() >= buffered) (void)flush();
  return piece;
}

Expected<void> Spool::copy(Piece piece, std::string& out) {
  if (!flush()) return tl::unexpected(spool_error(m_directory, m_errno));
  const auto start = out.size();
  out.resize(start + piece.size);
  std::size_t read = 0;
  while (read < piece.size) {
    const auto size = pread(m_fd.get(), out.data() + start + read, piece.size - read,
                            static_cast<off_t>(piece.offset + read));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return tl::unexpected(spool_error(m_directory, size == 0 ? EIO : errno));
    read += static_cast<std::size_t>(size);
  }
  return {};
}

bool Spool::flush() {
  if (m_errno == 0 && !write_all(m_fd.get(), m_buffer)) m_errno = errno;
  m_written += m_buffer.size();
  m_buffer.clear();
  return m_errno == 0;
}

}  // namespace hearth::client
