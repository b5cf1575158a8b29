// What a console says, in lines that are safe to show: control characters are taken out, escape
// sequences too, and a line is not endless.
#pragma once

#include <string>
#include <string_view>

namespace hearth::tunnel {

class TextLines {
 public:
  static constexpr std::size_t longest = 1'024;  // bytes; what is longer is broken

  // Whole lines of what was added, each with its line end; empty lines are left out.
  [[nodiscard]] std::string add(std::string_view text);
  // What waits for its line end: a prompt, perhaps.
  [[nodiscard]] std::string finish();
  [[nodiscard]] bool has_rest() const { return !m_line.empty(); }

 private:
  enum class State { text, escape, sequence };

  void add(char c, std::string& out);
  void end_line(std::string& out);

  State m_state = State::text;
  std::string m_line;
};

}  // namespace hearth::tunnel
