#include "tunnel/text_lines.hpp"

#include <utility>

namespace hearth::tunnel {

std::string TextLines::add(std::string_view text) {
  std::string out;
  for (const char c : text) add(c, out);
  return out;
}

std::string TextLines::finish() {
  std::string out;
  end_line(out);
  m_state = State::text;
  return out;
}

void TextLines::end_line(std::string& out) {
  if (m_line.empty()) return;
  out += m_line + '\n';
  m_line.clear();
}

// An escape sequence: ESC [, parameters, and a letter or one of @ [ \ ] ^ _ ` { | } ~; others are
// ESC and one character.
void TextLines::add(char c, std::string& out) {
  const auto byte = static_cast<unsigned char>(c);
  switch (std::exchange(m_state, State::text)) {
    case State::escape:
      if (c == '[') m_state = State::sequence;
      if (byte >= 0x20 && byte < 0x7f) return;
      break;
    case State::sequence:
      if (byte >= 0x20 && byte < 0x40) m_state = State::sequence;
      if (byte >= 0x20 && byte < 0x7f) return;
      break;
    case State::text:
      break;
  }
  if (c == '\x1b') {
    m_state = State::escape;
  } else if (c == '\n') {
    end_line(out);
  } else if (c == '\t') {
    m_line += ' ';
  } else if (byte >= 0x20 && byte != 0x7f) {
    m_line += c;
  }
  if (m_line.size() >= longest) end_line(out);
}

}  // namespace hearth::tunnel
