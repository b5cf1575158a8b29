// Text set aside in a file without a name, until the order that it is wanted in is known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "client/reports/report_file.hpp"
#include "process/unique_fd.hpp"

namespace hearth::client {

class Spool {
 public:
  struct Piece {
    std::uint64_t offset = 0;
    std::uint32_t size = 0;
  };

  // In `directory`, without which there is nothing to see of it there.
  [[nodiscard]] static Expected<Spool> open(const std::string& directory);

  // Where it cannot be written, copy() will tell.
  Piece add(std::string_view text);
  // A piece, back; appended to `out`.
  [[nodiscard]] Expected<void> copy(Piece piece, std::string& out);

 private:
  Spool(std::string directory, UniqueFd fd)
      : m_directory(std::move(directory)), m_fd(std::move(fd)) {}
  bool flush();

  std::string m_directory;
  UniqueFd m_fd;
  std::uint64_t m_written = 0;
  std::string m_buffer;  // what follows
  int m_errno = 0;
};

}  // namespace hearth::client
