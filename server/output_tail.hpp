// The last words of a program that runs no test: what it prints while it loads or sets up a suite.
// Always drained; the end of it is kept for the message that says what went wrong.
#pragma once

#include <string>

#include "process/unique_fd.hpp"
#include "server/readable_fd.hpp"

namespace hearth::server {

class OutputTail {
 public:
  OutputTail(asio::io_context& io, UniqueFd out, UniqueFd err);

  // Reads what is there without waiting; then the tail as text, "" where nothing was printed.
  [[nodiscard]] std::string text();

  // Descriptors of its own (-1: there is none to be had) for who reads stdout and stderr in its
  // place: what is written from now on, until take_back().
  struct Lent {
    UniqueFd out;
    UniqueFd err;
  };
  [[nodiscard]] Lent lend();
  void take_back();

 private:
  struct Stream {
    std::string tail;
    std::unique_ptr<ReadableFd> fd;
    bool lent = false;
    bool ended = false;
  };
  void watch(asio::io_context& io, UniqueFd fd, Stream& stream);
  static void read_some(Stream& stream);

  Stream m_out;
  Stream m_err;
};

}  // namespace hearth::server
