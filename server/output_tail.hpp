// What a program prints outside its tests: while it loads, sets up a suite, or stands by. Always
// drained, and told a line at a time; the end of it is kept for the messages that it explains.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "process/unique_fd.hpp"
#include "server/readable_fd.hpp"

namespace hearth::server {

class OutputTail {
 public:
  // `on_line`: a line without its end, at most 2,000 bytes of it; the rest is a line of its own. It
  // may not destroy this.
  OutputTail(asio::io_context& io, UniqueFd out, UniqueFd err,
             std::function<void(std::string_view line)> on_line);

  // Reads what is there without waiting; then the tail as text, "" where nothing was printed.
  [[nodiscard]] std::string text();
  // The same, shorter, and without what only names the framework: what whoever `who` names has
  // printed so far.
  [[nodiscard]] std::string words(std::string_view who);

  // Reads what is there without waiting.
  void read_now();
  // A line that came another way.
  void add(std::string_view line);

  // Descriptors of its own (-1: there is none to be had) for who reads stdout and stderr in its
  // place: what is written from now on, until take_back().
  struct Lent {
    UniqueFd out;
    UniqueFd err;
  };
  [[nodiscard]] Lent lend();
  void take_back();

  // No line is told any more.
  void mute() {
    m_on_line = [](std::string_view) {};
  }

 private:
  struct Stream {
    std::string tail;
    std::string line;  // as far as it has come
    bool cut = false;  // there was more before the tail
    std::unique_ptr<ReadableFd> fd;
    bool lent = false;
    bool ended = false;
  };
  void watch(asio::io_context& io, UniqueFd fd, Stream& stream);
  void read_some(Stream& stream);
  void take(Stream& stream, std::string_view bytes);
  void end_line(Stream& stream);

  std::function<void(std::string_view line)> m_on_line;
  Stream m_out;
  Stream m_err;
};

}  // namespace hearth::server
