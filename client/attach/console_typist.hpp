// Types lines at a console, each when something waits for it: at a prompt (text without a line end,
// and then nothing for a moment), or when nothing has been said for a while. No I/O, no clock.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace hearth::client {

class ConsoleTypist {
 public:
  using Time = std::chrono::milliseconds;
  static constexpr Time prompt_pause{250};
  static constexpr Time silence{1'500};
  static constexpr Time longest_wait{10'000};  // for a console that is never silent

  ConsoleTypist(std::vector<std::string> lines, Time now)
      : m_lines(lines.begin(), lines.end()), m_since(now), m_typed(now) {}

  void heard(std::string_view text, Time now);
  // When the next line is to be typed, if nothing is heard until then; nullopt: there is none left.
  [[nodiscard]] std::optional<Time> due() const;
  // The line that is due, with its line end.
  [[nodiscard]] std::optional<std::string> take(Time now);

 private:
  std::deque<std::string> m_lines;
  Time m_since;
  Time m_typed;  // when the last line was, or the beginning
  bool m_prompt = false;
};

}  // namespace hearth::client
