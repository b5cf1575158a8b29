#include "client/reports/tap_report.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/reports/failure_details.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::size_t most_output = std::size_t{64} * 1024;  // bytes of stdout and stderr each

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : printable_line(text)) {
    if (c == '#' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else
      out += c;
  }
  return out + "\"";
}

// A line that readers take for the end of the block, or for one outside: Meson 1.0 strips blanks
// from the end of lines, and then misses the indentation of those that are empty.
bool breaks_block(std::string_view line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == line.npos || line.substr(first).starts_with("...")) return true;
  return std::all_of(line.begin(), line.end(), [](char c) {
    return c == ' ' || c == '\t' || static_cast<unsigned char>(c) >= 0x80;  // may be blank, too
  });
}

// As a block, which people can read, where YAML can tell its indentation and no reader its end.
std::string yaml_text(std::string_view key, std::string_view text) {
  if (text.empty()) return {};
  auto line = "  " + std::string(key) + ": ";
  bool block =
      text.find('\n') != std::string_view::npos && text.front() != ' ' && text.front() != '\t';
  for (auto rest = text; block && !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size());
    block = !breaks_block(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (block) return line + "|\n" + indented(text, "    ");
  return line + quoted(text) + "\n";
}

std::string_view severity_of(const TestReport& report) {
  if (report.lost) return "lost";
  return is_failure(report.status) ? "fail" : "comment";
}

std::string diagnostics_of(const TestReport& report) {
  std::string text;
  const bool failed = is_failure(report.status) || report.lost;
  if (failed || report.is_flaky() || report.status == TestStatus::xfail) {
    text += yaml_text("message", message_of(report));
    text += yaml_text("severity", severity_of(report));
  }
  if (const auto duration = report.duration()) {
    std::array<char, 48> number{};
    std::snprintf(number.data(), number.size(), "  duration_ms: %.3f\n",
                  std::chrono::duration<double, std::milli>(*duration).count());
    text += number.data();
  }
  if (report.attempt > 1) text += "  attempt: " + std::to_string(report.attempt) + "\n";
  if (report.is_flaky()) text += "  flaky: true\n";
  if (!failed) return text;
  return text + yaml_text("traceback", details_of(report)) +
         yaml_text("stdout", output_of(report, "stdout", most_output)) +
         yaml_text("stderr", output_of(report, "stderr", most_output));
}

std::string directive_of(const TestReport& report) {
  if (report.status == TestStatus::skip) return "SKIP " + escaped(message_of(report));
  if (report.status == TestStatus::xfail) return "TODO expected to fail";
  return {};
}

}  // namespace

TapReport::TapReport(ReportFile file) : m_file(std::move(file)) {
  m_file.write("TAP version 13\n");
}

void TapReport::on_result(const TestReport& report, const Counts&) {
  if (report.will_retry) return;
  const bool ok =
      !report.lost && (report.status == TestStatus::success || report.status == TestStatus::skip);
  point(ok, report.id, directive_of(report), diagnostics_of(report));
}

void TapReport::on_end(const Outcome& outcome) {
  if (outcome.stopped_early && !outcome.interrupted)
    for (const auto& id : outcome.missing)
      point(true, id, "SKIP not run: the run was stopped early", {});
  if (outcome.interrupted)
    m_file.write("Bail out! Interrupted\n");
  else if (!outcome.doubts.empty())
    m_file.write("Bail out! " + printable_line(outcome.doubts.front()) + "\n");
}

Expected<void> TapReport::finish() {
  m_file.write("1.." + std::to_string(m_points) + "\n");
  return m_file.flush();
}

void TapReport::point(bool ok, std::string_view id, std::string_view directive,
                      std::string_view diagnostics) {
  std::string text = ok ? "ok " : "not ok ";
  text += std::to_string(++m_points) + " - " + escaped(id);
  if (!directive.empty()) text += " # " + std::string(directive);
  text += '\n';
  if (!diagnostics.empty()) text += "  ---\n" + std::string(diagnostics) + "  ...\n";
  m_file.write(text);
}

}  // namespace hearth::client
