// The log of a server that runs in the background: at most 1 MiB, and as much again of what was
// before it, in `NAME.1`. What cannot be written is lost: a server never waits for its log.
#pragma once

#include <string>
#include <string_view>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::client {

inline constexpr std::size_t log_limit = std::size_t{1} << 20;  // bytes

// `PATH.log` beside a Unix socket, `tcp-PORT.log` in the runtime folder.
[[nodiscard]] std::string log_path_of(const transport::Address& address);

class LogFile {
 public:
  // Appends to what is there. The folder is made where it is missing, and must be private.
  [[nodiscard]] static Expected<LogFile> open(const std::string& path,
                                              std::size_t limit = log_limit);

  void write(std::string_view text);
  [[nodiscard]] int file_fd() const { return m_file.get(); }
  [[nodiscard]] int folder_fd() const { return m_folder.get(); }

 private:
  LogFile(UniqueFd folder, std::string name, std::size_t limit)
      : m_folder(std::move(folder)), m_name(std::move(name)), m_limit(limit) {}
  bool open_file();
  void rotate();

  UniqueFd m_folder;
  std::string m_name;
  std::size_t m_limit;
  UniqueFd m_file;
  std::size_t m_size = 0;
};

}  // namespace hearth::client
