#include "client/attach/console_typist.hpp"

#include <algorithm>

namespace hearth::client {

void ConsoleTypist::heard(std::string_view text, Time now) {
  if (text.empty()) return;
  m_since = now;
  m_prompt = text.back() != '\n' && text.back() != '\r';
}

std::optional<ConsoleTypist::Time> ConsoleTypist::due() const {
  if (m_lines.empty()) return std::nullopt;
  return std::min(m_since + (m_prompt ? prompt_pause : silence), m_typed + longest_wait);
}

std::optional<std::string> ConsoleTypist::take(Time now) {
  const auto when = due();
  if (!when || now < *when) return std::nullopt;
  std::string line = m_lines.front() + '\n';
  m_lines.pop_front();
  m_since = m_typed = now;
  m_prompt = false;
  return line;
}

}  // namespace hearth::client
