#include "server/program_words.hpp"

#include <poll.h>
#include <unistd.h>

#include <charconv>

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

std::optional<std::int64_t> pid_in_report(std::string_view line) {
  constexpr std::string_view fence = "==";
  if (!line.starts_with(fence)) return std::nullopt;
  line.remove_prefix(fence.size());
  std::int64_t pid = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), pid);
  if (error != std::errc() || pid <= 0) return std::nullopt;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()));
  return line.starts_with(fence) ? std::optional(pid) : std::nullopt;
}

// Of a pipe: room for PIPE_BUF bytes, which are more than a line's.
bool log_takes_a_line() {
  pollfd log{STDERR_FILENO, POLLOUT, 0};
  return poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0;
}

}  // namespace hearth::server
