#include "client/show/report.hpp"

#include <algorithm>

#include "client/sanitizer_report.hpp"
#include "client/show/slow.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::size_t output_lines = 40;  // shown of each attachment that is output

struct Word {
  const char* text;  // five columns
  Style style;
};

Word word_of(TestStatus status) {
  switch (status) {
    case TestStatus::success:
      return {"PASS ", Style::good};
    case TestStatus::skip:
      return {"SKIP ", Style::warning};
    case TestStatus::xfail:
      return {"XFAIL", Style::plain};
    case TestStatus::uxsuccess:
      return {"XPASS", Style::bad};
    case TestStatus::fail:
      return {"FAIL ", Style::bad};
    default:
      return {"LOST ", Style::bad};
  }
}

Word word_of(const TestReport& report) {
  if (report.will_retry) return {"RETRY", Style::warning};
  if (report.lost) return {"LOST ", Style::bad};
  if (report.is_flaky()) return {"FLAKY", Style::warning};
  return word_of(report.status);
}

std::string remarks(const TestReport& report) {
  std::string text;
  const auto add = [&](const std::string& remark) { text += (text.empty() ? "" : ", ") + remark; };
  const auto attempt = std::to_string(report.attempt);
  if (report.will_retry)
    add("attempt " + attempt + " failed, runs again");
  else if (report.is_flaky())
    add("attempt " + attempt + ", failed before");
  else if (report.attempt > 1)
    add("attempt " + attempt);
  const auto duration = report.duration();
  if (duration && is_slow(*duration, report.expected))
    add("slow" + last_time_text(report.expected));
  if (!report.asked_for && !tells_of_an_end(report.id)) add("not asked for");
  return text;
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
  const auto shown =
      excerpt_of(attachment.text, attachment.size, output_lines, attachment.text.size());
  const auto title = shown.title.empty() ? name : name + ", " + shown.title;
  return "    " + title + ":\n" + indented(printable(shown.text), "      ");
}

}  // namespace

std::string result_line(const TestReport& report, const Paint& paint) {
  const auto word = word_of(report);
  auto line = paint(word.style, word.text) + "  " + printable_line(report.id);
  if (const auto duration = report.duration()) line += "  " + duration_text(*duration);
  const auto remark = remarks(report);
  if (!remark.empty()) line += "  (" + remark + ")";
  return line + "\n";
}

std::string attachments_text(const TestReport& report) {
  std::string text;
  for (const auto& attachment : report.attachments) text += section(attachment);
  return text;
}

std::string failure_text(const TestReport& report, const Paint& paint) {
  return result_line(report, paint) + attachments_text(report);
}

}  // namespace hearth::client
