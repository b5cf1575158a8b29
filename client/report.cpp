#include "client/report.hpp"

#include <algorithm>

#include "client/progress.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::size_t output_lines = 40;      // shown of each attachment that is output
constexpr std::size_t listed_missing = 1000;  // ids; their number is always given

const char* word_of(TestStatus status) {
  switch (status) {
    case TestStatus::success:
      return "PASS ";
    case TestStatus::skip:
      return "SKIP ";
    case TestStatus::xfail:
      return "XFAIL";
    case TestStatus::uxsuccess:
      return "XPASS";
    case TestStatus::fail:
      return "FAIL ";
    default:
      return "LOST ";
  }
}

bool is_text(const Attachment& attachment) {
  return attachment.mime_type.empty() || attachment.mime_type.starts_with("text/") ||
         attachment.mime_type.starts_with("application/json");
}

std::string section(const Attachment& attachment) {
  if (attachment.size == 0) return {};
  const auto name = printable_line(attachment.name);
  if (!is_text(attachment))
    return "    " + name + ": " + counted(attachment.size, "byte") + " of " +
           printable_line(attachment.mime_type) + "\n";
  if (attachment.name == "traceback" || attachment.name == "reason") {
    auto text = indented(printable(attachment.text), "    ");
    if (attachment.text.size() < attachment.size)
      text += "    (" + counted(attachment.size - attachment.text.size(), "more byte") + ")\n";
    return text;
  }
  const auto shown = last_lines(attachment.text, output_lines);
  auto title = "    " + name;
  if (shown.size() < attachment.size)
    title +=
        ", the last " + std::to_string(shown.size()) + " of " + counted(attachment.size, "byte");
  return title + ":\n" + indented(printable(shown), "      ");
}

std::string missing_text(const Outcome& outcome) {
  const auto& missing = outcome.missing;
  if (missing.empty()) return {};
  auto text = "No result from " + counted(missing.size(), "test") + ":\n";
  const auto shown = std::min(missing.size(), listed_missing);
  for (std::size_t i = 0; i < shown; ++i) text += "    " + printable_line(missing[i].id) + "\n";
  if (shown < missing.size())
    text += "    and " + std::to_string(missing.size() - shown) + " more\n";
  return text;
}

std::string failures_text(const Outcome& outcome) {
  if (outcome.failures.empty()) return {};
  std::string text = "Failed:\n";
  for (const auto& failure : outcome.failures) {
    text += "    " + printable_line(failure.id);
    if (!failure.cause.empty()) text += "  (" + fitted(failure.cause, 100) + ")";
    text += "\n";
  }
  return text;
}

}  // namespace

ExitCode exit_code(const Outcome& outcome) {
  if (outcome.interrupted) return ExitCode::interrupted;
  if (outcome.lost || !outcome.missing.empty()) return ExitCode::results_missing;
  return outcome.counts.failed == 0 ? ExitCode::success : ExitCode::failures;
}

std::string result_line(const TestReport& report) {
  auto line = std::string(word_of(report.status)) + "  " + printable_line(report.id);
  if (report.duration) line += "  " + duration_text(*report.duration);
  if (!report.asked_for) line += "  (not asked for)";
  return line + "\n";
}

std::string failure_text(const TestReport& report) {
  auto text = result_line(report);
  for (const auto& attachment : report.attachments) text += section(attachment);
  return text;
}

std::string summary_text(const Outcome& outcome) {
  std::string text = "\n" + failures_text(outcome);
  if (outcome.interrupted)
    text += "Interrupted: " + counted(outcome.missing.size(), "test") + " without a result.\n";
  else
    text += missing_text(outcome);
  if (outcome.lost) text += "The server was lost: " + *outcome.lost + "\n";
  text += counts_text(outcome.counts);
  if (!outcome.missing.empty())
    text += ", " + std::to_string(outcome.missing.size()) + " without a result";
  return text + " in " + duration_text(outcome.elapsed) + "\n";
}

}  // namespace hearth::client
