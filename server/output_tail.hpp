// The last words of a program that runs no test: what it prints while it loads or sets up a suite. Always
// drained; the end of it is kept for the message that says what went wrong.
#pragma once

#include <string>

#include "server/readable_fd.hpp"
#include "server/unique_fd.hpp"

namespace hearth::server {

class OutputTail {
 public:
  OutputTail(asio::io_context& io, UniqueFd out, UniqueFd err);

  // Reads what is there without waiting; then the tail as text, "" where nothing was printed.
  [[nodiscard]] std::string text();

 private:
  struct Stream {
    std::string tail;
    std::unique_ptr<ReadableFd> fd;
  };
  void watch(asio::io_context& io, UniqueFd fd, Stream& stream);
  static void read_some(Stream& stream);

  Stream m_out;
  Stream m_err;
};

}  // namespace hearth::server
