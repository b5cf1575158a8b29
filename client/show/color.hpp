// Whether text is coloured, and how.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hearth::client {

enum class ColorChoice : std::uint8_t { automatic, always, never };

// What decides under ColorChoice::automatic: the output, and the variables of these names where
// they are set.
struct ColorSigns {
  bool is_terminal = false;
  std::optional<std::string> term;
  std::optional<std::string> no_color;  // no-color.org
  std::optional<std::string> clicolor;  // bixense.com/clicolors
  std::optional<std::string> clicolor_force;
  std::optional<std::string> force_color;  // force-color.org
};
// Of the descriptor and this process's environment.
[[nodiscard]] ColorSigns color_signs(int fd);

// In this order: the choice, if it is one; NO_COLOR, if not empty; CLICOLOR_FORCE and FORCE_COLOR,
// if neither empty nor 0; then a terminal that is not dumb, unless CLICOLOR is 0.
[[nodiscard]] bool wants_color(ColorChoice choice, const ColorSigns& signs);

enum class Style : std::uint8_t { plain, good, bad, warning, faint, strong };

// Text with its style, or without where there is no colour.
class Paint {
 public:
  Paint() = default;
  explicit Paint(bool on) : m_on(on) {}
  [[nodiscard]] std::string operator()(Style style, std::string_view text) const;

 private:
  bool m_on = false;
};

// A line of printable text in pieces of several styles, which can be cut to a width.
class StyledLine {
 public:
  StyledLine& add(std::string text, Style style = Style::plain);
  StyledLine& add(const StyledLine& line);
  [[nodiscard]] std::size_t width() const;
  // Cut as fitted() cuts.
  [[nodiscard]] std::string text(std::size_t columns, const Paint& paint) const;

 private:
  struct Piece {
    std::string text;
    Style style;
  };
  std::vector<Piece> m_pieces;
};

}  // namespace hearth::client
