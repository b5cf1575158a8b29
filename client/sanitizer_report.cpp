#include "client/sanitizer_report.hpp"

#include <algorithm>
#include <array>

#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::string_view digits = "0123456789";
constexpr std::array<std::string_view, 6> sanitizers = {
    "AddressSanitizer", "HWAddressSanitizer", "LeakSanitizer",
    "MemorySanitizer",  "ThreadSanitizer",    "UndefinedBehaviorSanitizer"};

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size() - 1);
  const auto line = text.substr(0, end + 1);
  text.remove_prefix(line.size());
  return line;
}

// "==7==ERROR: AddressSanitizer: …"; "WARNING: ThreadSanitizer: …" has no number.
bool begins_with_sanitizer(std::string_view line) {
  for (const std::string_view level : {"ERROR: ", "WARNING: "}) {
    if (!line.starts_with(level)) continue;
    const auto rest = line.substr(level.size());
    return std::any_of(sanitizers.begin(), sanitizers.end(),
                       [&](std::string_view name) { return rest.starts_with(name); });
  }
  return false;
}

// valgrind's own lines of a start ("Memcheck, a memory error detector") are none.
bool begins_with_valgrind(std::string_view line) {
  constexpr std::array<std::string_view, 17> beginnings = {"Invalid ",
                                                           "Conditional jump ",
                                                           "Use of uninitialised ",
                                                           "Syscall param ",
                                                           "Source and destination overlap",
                                                           "Mismatched ",
                                                           "Process terminating ",
                                                           "Jump to the invalid ",
                                                           "Argument ",
                                                           "Possible data race ",
                                                           "Thread #",
                                                           "HEAP SUMMARY:",
                                                           "realloc() with size 0",
                                                           "Unsafe allocation",
                                                           "Uninitialised ",
                                                           "Can't extend stack",
                                                           "Stack overflow"};
  if (!line.starts_with(' ')) return false;
  line.remove_prefix(1);
  return std::any_of(beginnings.begin(), beginnings.end(),
                     [&](std::string_view beginning) { return line.starts_with(beginning); }) ||
         line.find("bytes in ") != std::string_view::npos;
}

bool begins_report(std::string_view line) {
  if (line.find(": runtime error: ") != std::string_view::npos) return true;
  if (begins_with_sanitizer(line)) return true;
  if (!line.starts_with("==")) return false;
  const auto end = line.find_first_not_of(digits, 2);
  if (end == 2 || end == std::string_view::npos || line.substr(end, 2) != "==") return false;
  const auto rest = line.substr(end + 2);
  return begins_with_sanitizer(rest) || begins_with_valgrind(rest);
}

bool is_shadow_or_legend(std::string_view line) {
  return line.starts_with("  ") || line.starts_with("=>");
}

std::size_t count_lines(std::string_view text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) +
         (text.empty() || text.ends_with('\n') ? 0 : 1);
}

std::string_view first_lines(std::string_view text, std::size_t lines) {
  auto rest = text;
  for (; lines > 0 && !rest.empty(); --lines) take_line(rest);
  return text.substr(0, text.size() - rest.size());
}

// At most `bytes`, ended after a line.
std::string_view at_most(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  const auto newline = text.rfind('\n', bytes);
  return text.substr(0, newline == std::string_view::npos ? bytes : newline + 1);
}

std::string_view last_of(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  text.remove_prefix(text.size() - bytes);
  const auto newline = text.find('\n');
  return newline == std::string_view::npos ? text : text.substr(newline + 1);
}

}  // namespace

std::optional<std::string_view> from_first_report(std::string_view output) {
  for (auto rest = output; !rest.empty();) {
    const auto here = rest;
    if (begins_report(take_line(rest))) return here;
  }
  return std::nullopt;
}

std::string without_legends(std::string_view text) {
  std::string kept;
  bool in_legend = false;
  while (!text.empty()) {
    const auto line = take_line(text);
    const bool begins = line.starts_with("Shadow bytes around the buggy address:") ||
                        line.starts_with("Shadow byte legend ");
    in_legend = begins || (in_legend && is_shadow_or_legend(line));
    if (!in_legend) kept += line;
  }
  return kept;
}

Excerpt excerpt_of(std::string_view output, std::size_t size, std::size_t lines,
                   std::size_t bytes) {
  const auto report = from_first_report(output);
  if (!report) {
    const auto shown = last_of(last_lines(output, lines), bytes);
    if (shown.size() == size) return {std::string(shown), {}};
    return {std::string(shown),
            "the last " + std::to_string(shown.size()) + " of " + counted(size, "byte")};
  }
  const auto whole = without_legends(output);
  if (output.size() == size && whole.size() <= bytes && count_lines(whole) <= lines) {
    if (whole.size() == size) return {whole, {}};
    return {whole,
            std::to_string(whole.size()) + " of " + counted(size, "byte") + ", without the legend"};
  }
  const auto explained = without_legends(*report);
  const auto shown = at_most(first_lines(explained, 2 * lines), bytes);
  return {std::string(shown), std::to_string(shown.size()) + " of " + counted(size, "byte") +
                                  ", from the first report on"};
}

}  // namespace hearth::client
