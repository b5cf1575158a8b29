#include "client/show/color.hpp"

#include <unistd.h>

#include <cstdlib>

#include "client/text.hpp"

namespace hearth::client {
namespace {

std::optional<std::string> variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  return value;
}

bool is_set(const std::optional<std::string>& value) {
  return value && !value->empty();
}

bool is_on(const std::optional<std::string>& value) {
  return is_set(value) && *value != "0";
}

const char* code_of(Style style) {
  switch (style) {
    case Style::good:
      return "\x1b[32m";
    case Style::bad:
      return "\x1b[1;31m";
    case Style::warning:
      return "\x1b[33m";
    case Style::faint:
      return "\x1b[2m";
    case Style::strong:
      return "\x1b[1m";
    case Style::plain:
      break;
  }
  return "";
}

}  // namespace

ColorSigns color_signs(int fd) {
  return {isatty(fd) == 1,      variable("TERM"),           variable("NO_COLOR"),
          variable("CLICOLOR"), variable("CLICOLOR_FORCE"), variable("FORCE_COLOR")};
}

bool wants_color(ColorChoice choice, const ColorSigns& signs) {
  if (choice != ColorChoice::automatic) return choice == ColorChoice::always;
  if (is_set(signs.no_color)) return false;
  if (is_on(signs.clicolor_force) || is_on(signs.force_color)) return true;
  if (signs.clicolor == "0") return false;
  return signs.is_terminal && is_set(signs.term) && *signs.term != "dumb";
}

std::string Paint::operator()(Style style, std::string_view text) const {
  if (!m_on || style == Style::plain || text.empty()) return std::string(text);
  return code_of(style) + std::string(text) + "\x1b[0m";
}

StyledLine& StyledLine::add(std::string text, Style style) {
  m_pieces.push_back({std::move(text), style});
  return *this;
}

StyledLine& StyledLine::add(const StyledLine& line) {
  m_pieces.insert(m_pieces.end(), line.m_pieces.begin(), line.m_pieces.end());
  return *this;
}

std::size_t StyledLine::width() const {
  std::size_t width = 0;
  for (const auto& piece : m_pieces) width += display_width(piece.text);
  return width;
}

std::string StyledLine::text(std::size_t columns, const Paint& paint) const {
  std::string all;
  for (const auto& piece : m_pieces) all += piece.text;
  const auto kept = fitted(all, columns);
  std::string out;
  std::size_t taken = 0;
  // The pieces in the colours that they have; the ellipsis, in the colour of what it cuts.
  for (const auto& piece : m_pieces) {
    const bool whole = kept.compare(taken, piece.text.size(), piece.text) == 0;
    const auto size = whole ? piece.text.size() : std::string::npos;
    out += paint(piece.style, std::string_view(kept).substr(taken, size));
    if (!whole) break;
    taken += piece.text.size();
  }
  return out;
}

}  // namespace hearth::client
