// Just enough of a terminal to see what is left on it: lines, "up N", "erase to the end", private
// modes; and wrapping of what no longer fits.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "client/show/display.hpp"
#include "client/text.hpp"

namespace hearth::client::test {

class Screen {
 public:
  Writer writer() {
    return [this](std::string_view text) {
      ++m_writes;
      write(text);
    };
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : m_lines) all += line + "\n";
    return all;
  }
  [[nodiscard]] std::size_t lines() const { return m_lines.size(); }
  [[nodiscard]] std::size_t widest() const {
    std::size_t width = 0;
    for (const auto& line : m_lines) width = std::max(width, display_width(line));
    return width;
  }
  [[nodiscard]] std::size_t writes() const { return m_writes; }

  // What a terminal with `columns` makes of its (ASCII) lines.
  void reflow(std::size_t columns) {
    std::vector<std::string> wrapped;
    for (auto line : m_lines) {
      for (; line.size() > columns; line.erase(0, columns))
        wrapped.push_back(line.substr(0, columns));
      wrapped.push_back(line);
    }
    m_lines = wrapped;
    m_row = m_lines.size();
  }

 private:
  void write(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("\x1b[?")) {
        text.remove_prefix(text.find_first_of("hl") + 1);
      } else if (text.starts_with("\x1b[J")) {
        text.remove_prefix(3);
        m_lines.resize(m_row);
      } else if (text.starts_with("\x1b[")) {
        const auto end = text.find('A');
        REQUIRE(end != std::string_view::npos);
        const auto up = std::stoul(std::string(text.substr(2, end - 2)));
        REQUIRE(up <= m_row);
        m_row -= up;
        text.remove_prefix(end + 1);
      } else if (text.starts_with('\r')) {
        text.remove_prefix(1);
      } else {
        const auto end = text.find('\n');
        REQUIRE(end != std::string_view::npos);
        REQUIRE(m_row == m_lines.size());  // only erased lines are written again
        m_lines.emplace_back(text.substr(0, end));
        ++m_row;
        text.remove_prefix(end + 1);
      }
    }
  }

  std::vector<std::string> m_lines;
  std::size_t m_row = 0;
  std::size_t m_writes = 0;
};

}  // namespace hearth::client::test
