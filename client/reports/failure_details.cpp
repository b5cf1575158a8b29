#include "client/reports/failure_details.hpp"

#include <algorithm>
#include <limits>

#include "client/run/result_assembler.hpp"
#include "client/sanitizer_report.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::size_t longest_place = 1000;  // bytes of a line that names one
constexpr std::string_view digits = "0123456789";

bool is_text(const Attachment& attachment) {
  return attachment.mime_type.empty() || attachment.mime_type.starts_with("text/") ||
         attachment.mime_type.starts_with("application/json");
}

bool is_detail(const Attachment& attachment) {
  return attachment.name != "stdout" && attachment.name != "stderr" &&
         attachment.name != "reason" && is_text(attachment) && attachment.size != 0;
}

std::string with_newline(std::string text) {
  if (!text.empty() && !text.ends_with('\n')) text += '\n';
  return text;
}

// "file:12: ...", "file:12:5: ...", "file(12): ...".
std::optional<SourcePlace> place_in(std::string_view line) {
  line = line.substr(0, longest_place);
  for (auto at = line.find_first_of(":("); at != std::string_view::npos;
       at = line.find_first_of(":(", at + 1)) {
    const auto end = line.find_first_not_of(digits, at + 1);
    if (end == at + 1) continue;
    const auto rest = end == std::string_view::npos ? std::string_view() : line.substr(end);
    const bool closed =
        line[at] == ':' ? rest.empty() || rest.starts_with(':') : rest.starts_with("):");
    const auto file = line.substr(0, at);
    if (closed && file.find_first_of("./") != std::string_view::npos)
      return SourcePlace{std::string(file), std::string(line.substr(at + 1, end - at - 1))};
  }
  return std::nullopt;
}

}  // namespace

std::string message_of(const TestReport& report) {
  auto cause = short_cause(report);
  if (!cause.empty()) return cause;
  if (report.status == TestStatus::uxsuccess) return "passed, but was expected to fail";
  if (report.lost) return "no server gave a result";
  return is_failure(report.status) ? "failed" : "";
}

std::string details_of(const TestReport& report) {
  std::string traceback;
  std::string others;
  for (const auto& attachment : report.attachments) {
    if (!is_detail(attachment)) continue;
    const bool is_traceback = attachment.name == "traceback";
    auto& text = is_traceback ? traceback : others;
    if (!is_traceback) text += printable_line(attachment.name) + ":\n";
    text += with_newline(printable(attachment.text));
    if (attachment.text.size() < attachment.size)
      text += "(" + counted(attachment.size - attachment.text.size(), "more byte") + ")\n";
  }
  return traceback + others;
}

std::string output_of(const TestReport& report, std::string_view name, std::size_t most) {
  const auto& attachments = report.attachments;
  const auto found =
      std::find_if(attachments.begin(), attachments.end(),
                   [&](const Attachment& attachment) { return attachment.name == name; });
  if (found == attachments.end() || found->size == 0) return {};
  if (found->text.size() == found->size && found->size <= most) return printable(found->text);
  constexpr auto all_lines = std::numeric_limits<std::size_t>::max() / 2;
  const auto shown = excerpt_of(found->text, found->size, all_lines, most);
  return (shown.title.empty() ? "" : "(" + shown.title + ")\n") + printable(shown.text);
}

std::optional<SourcePlace> place_of(const TestReport& report) {
  for (const auto& attachment : report.attachments) {
    if (attachment.name != "traceback") continue;
    std::string_view text = attachment.text;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      auto place = place_in(text.substr(0, end));
      if (place) return place;
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  return std::nullopt;
}

}  // namespace hearth::client
