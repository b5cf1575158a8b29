// What a program prints outside its tests: while it loads and sets up, or, while its tests run, by
// another hand than theirs (a helper of its own, valgrind). It goes to the server's log a line at
// a time, and to the failures of the tests that came after it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hearth::server {

// GoogleTest's main() says its name; that explains nothing.
[[nodiscard]] bool is_framework_words(std::string_view line);

// A line of the log, without "hearth: ". `beside`: tests run.
[[nodiscard]] std::string words_line(std::string_view program, std::string_view line, bool beside);

// The process that a line of valgrind's is about: it begins with "==PID==", and comes by a
// descriptor that valgrind has taken when the program started, whatever stderr is since. nullopt:
// it is none of those.
[[nodiscard]] std::optional<std::int64_t> pid_in_report(std::string_view line);

inline constexpr std::string_view quiet_words = "prints: ";

// Whether a line of a server's stderr is one of those that are worth a look only if somebody asks
// for them: what a program printed while no test of it ran.
[[nodiscard]] inline bool is_quiet_line(std::string_view line) {
  constexpr std::string_view begin = "hearth: program ";
  if (!line.starts_with(begin)) return false;
  line.remove_prefix(begin.size());
  const std::size_t name_end = line.find(' ');
  return name_end != std::string_view::npos && line.substr(name_end + 1).starts_with(quiet_words);
}

// Whether stderr takes a line now. Nobody may read it, and nothing is to wait for that.
[[nodiscard]] bool log_takes_a_line();

}  // namespace hearth::server
