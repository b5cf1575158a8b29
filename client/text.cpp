#include "client/text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

struct Character {
  char32_t code;     // 0xFFFFFFFF: no UTF-8
  std::size_t size;  // bytes; at least 1
};
constexpr char32_t invalid = 0xFFFFFFFF;

// The character at the front of `text`, which is not empty.
Character front_character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (size > text.size() ||
      protocol::check_string(text.substr(0, size)) != protocol::StringFault::none)
    return {invalid, 1};
  char32_t code = first & (0xFFu >> (size + 1));
  for (std::size_t i = 1; i < size; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3Fu);
  return {code, size};
}

bool is_control(char32_t code) {
  return code < 0x20 || (code >= 0x7F && code < 0xA0);
}

void append_escaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += {'\\', 'x', hex[byte >> 4], hex[byte & 15]};
  }
}

struct Range {
  char32_t first, last;
};
template <std::size_t Size>
bool is_in(const std::array<Range, Size>& ranges, char32_t code) {
  return std::any_of(ranges.begin(), ranges.end(), [code](const Range& range) {
    return code >= range.first && code <= range.last;
  });
}

// Unicode's East_Asian_Width W and F, and the combining marks, in blocks.
constexpr std::array<Range, 11> wide{{{0x1100, 0x115F},
                                      {0x2E80, 0x303E},
                                      {0x3041, 0xA4CF},
                                      {0xA960, 0xA97F},
                                      {0xAC00, 0xD7A3},
                                      {0xF900, 0xFAFF},
                                      {0xFE30, 0xFE6F},
                                      {0xFF00, 0xFF60},
                                      {0xFFE0, 0xFFE6},
                                      {0x1F300, 0x1FAFF},
                                      {0x20000, 0x3FFFD}}};
constexpr std::array<Range, 7> combining{{{0x0300, 0x036F},
                                          {0x1AB0, 0x1AFF},
                                          {0x1DC0, 0x1DFF},
                                          {0x200B, 0x200F},
                                          {0x20D0, 0x20FF},
                                          {0xFE00, 0xFE0F},
                                          {0xFE20, 0xFE2F}}};

std::size_t columns_of(char32_t code) {
  if (code < 0x300) return 1;
  if (is_in(combining, code)) return 0;
  return is_in(wide, code) ? 2 : 1;
}

template <std::size_t Size, typename... Values>
std::string format(const char (&pattern)[Size], Values... values) {
  std::array<char, 64> text{};
  const int size = std::snprintf(text.data(), text.size(), pattern, values...);
  return {text.data(), static_cast<std::size_t>(size)};
}

}  // namespace

std::string printable(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const auto [code, size] = front_character(bytes);
    const auto character = bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (code == '\r' && bytes.starts_with('\n')) continue;
    if (code == invalid || (is_control(code) && code != '\n' && code != '\t'))
      append_escaped(out, character);
    else
      out += character;
  }
  return out;
}

std::string printable_line(std::string_view bytes) {
  auto line = printable(bytes);
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    const auto [code, size] = front_character(text);
    width += columns_of(code);
    text.remove_prefix(size);
  }
  return width;
}

std::size_t plain_width(std::string_view line) {
  std::size_t width = 0;
  while (!line.empty()) {
    const auto escape = std::min(line.find('\x1b'), line.size());
    width += display_width(line.substr(0, escape));
    const auto end = line.find('m', escape);
    line.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  }
  return width;
}

std::string fitted(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t kept = 0;
  std::size_t width = 1;  // of the ellipsis
  while (kept < text.size()) {
    const auto [code, size] = front_character(text.substr(kept));
    width += columns_of(code);
    if (width > columns) break;
    kept += size;
  }
  return std::string(text.substr(0, kept)) + "…";
}

std::string fitted_end(std::string_view text, std::size_t columns) {
  auto width = display_width(text);
  if (width <= columns) return std::string(text);
  if (columns == 0) return {};
  while (width > columns - 1) {
    const auto [code, size] = front_character(text);
    width -= columns_of(code);
    text.remove_prefix(size);
  }
  return "…" + std::string(text);
}

std::string indented(std::string_view text, std::string_view margin) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out += margin;
    out += text.substr(0, end);
    out += '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string_view last_lines(std::string_view text, std::size_t lines) {
  auto start = text.size();
  if (text.ends_with('\n')) --start;
  for (; lines > 0 && start != std::string_view::npos; --lines)
    start = start == 0 ? std::string_view::npos : text.rfind('\n', start - 1);
  return start == std::string_view::npos ? text : text.substr(start + 1);
}

std::string duration_text(std::chrono::nanoseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  if (seconds < 1) return format("%.3f s", std::max(seconds, 0.0));
  return age_text(duration);
}

std::string age_text(std::chrono::nanoseconds duration) {
  const double seconds = std::max(std::chrono::duration<double>(duration).count(), 0.0);
  return seconds < 60 ? format("%.1f s", seconds) : clock_text(duration);
}

std::string clock_text(std::chrono::nanoseconds duration) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (whole < 60) return format("%lld s", static_cast<long long>(std::max<std::int64_t>(whole, 0)));
  const auto hours = static_cast<long long>(whole / 3600);
  const auto minutes = static_cast<long long>(whole / 60 % 60);
  const auto rest = static_cast<long long>(whole % 60);
  if (hours == 0) return format("%lld:%02lld min", minutes, rest);
  return format("%lld:%02lld:%02lld h", hours, minutes, rest);
}

std::string counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace hearth::client
