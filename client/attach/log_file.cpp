#include "client/attach/log_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "transport/private_folder.hpp"

namespace hearth::client {

std::string log_path_of(const transport::Address& address) {
  if (const auto* const tcp = std::get_if<transport::TcpAddress>(&address))
    return transport::runtime_folder() + "/tcp-" + std::to_string(tcp->port) + ".log";
  return std::get<transport::UnixAddress>(address).path + ".log";
}

Expected<LogFile> LogFile::open(const std::string& path, std::size_t limit) {
  auto folder = transport::open_private_folder(transport::folder_of(path));
  if (!folder) return tl::unexpected(folder.error());
  LogFile log(std::move(*folder), transport::name_of(path), limit);
  if (!log.open_file())
    return tl::unexpected(Error{"open the server's log " + path, std::strerror(errno), ""});
  if (log.m_size >= limit) log.rotate();
  return log;
}

bool LogFile::open_file() {
  m_file =
      UniqueFd(openat(m_folder.get(), m_name.c_str(),
                      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
  struct stat status {};
  if (!m_file || fstat(m_file.get(), &status) != 0) return false;
  m_size = static_cast<std::size_t>(status.st_size);
  return true;
}

void LogFile::rotate() {
  renameat(m_folder.get(), m_name.c_str(), m_folder.get(), (m_name + ".1").c_str());
  if (open_file() && m_size >= m_limit && ftruncate(m_file.get(), 0) == 0) m_size = 0;
}

void LogFile::write(std::string_view text) {
  if (m_size + text.size() > m_limit) rotate();
  while (!text.empty() && m_file) {
    const auto size = ::write(m_file.get(), text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return;
    m_size += static_cast<std::size_t>(size);
    text.remove_prefix(static_cast<std::size_t>(size));
  }
}

}  // namespace hearth::client
