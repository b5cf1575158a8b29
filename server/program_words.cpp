#include "server/program_words.hpp"

#include <poll.h>
#include <unistd.h>

#include "protocol/utf8.hpp"

namespace hearth::server {
namespace {

constexpr std::string_view loud = "prints beside its tests: ";

}  // namespace

bool is_framework_words(std::string_view line) {
  return line.starts_with("Running main() from ");
}

std::string words_line(std::string_view program, std::string_view line, bool beside) {
  return "program " + std::string(program) + ' ' + std::string(beside ? loud : quiet_words) +
         protocol::as_utf8(line);
}

// Of a pipe: room for PIPE_BUF bytes, which are more than a line's.
bool log_takes_a_line() {
  pollfd log{STDERR_FILENO, POLLOUT, 0};
  return poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0;
}

}  // namespace hearth::server
