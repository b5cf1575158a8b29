#include "client/reports/github_report.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "client/reports/failure_details.hpp"
#include "client/reports/xml_text.hpp"
#include "client/show/progress.hpp"
#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t most_annotations = 1000;  // GitHub shows fewer still
constexpr std::size_t annotation_bytes = std::size_t{4} * 1024;
constexpr std::size_t detail_bytes = std::size_t{8} * 1024;     // of a failure in the summary
constexpr std::size_t summary_bytes = std::size_t{512} * 1024;  // GitHub takes a MiB of a step

// A workflow command's data, or, with more escapes, the value of one of its properties.
std::string command_text(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    if (c == '%')
      out += "%25";
    else if (c == '\r')
      out += "%0D";
    else if (c == '\n')
      out += "%0A";
    else if (property && c == ':')
      out += "%3A";
    else if (property && c == ',')
      out += "%2C";
    else
      out += c;
  }
  return out;
}

// The lines of `text` that begin in its first `most` bytes.
std::string beginning(std::string text, std::size_t most) {
  if (text.size() <= most) return text;
  const auto newline = text.rfind('\n', most);
  text.resize(newline == std::string::npos ? 0 : newline + 1);
  return text + "(cut off here)\n";
}

// HTML's escapes keep Markdown from seeing markup in it.
std::string code(std::string_view text) {
  return "<code>" + xml_text(printable_line(text)) + "</code>";
}

std::string details(const TestReport& report) {
  return "<details><summary>" + code(report.id) + "</summary>\n\n<pre>" +
         xml_text(beginning(details_of(report), detail_bytes)) + "</pre>\n</details>\n";
}

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

GithubSettings github_settings() {
  GithubSettings settings;
  if (auto path = variable("GITHUB_STEP_SUMMARY"); !path.empty())
    settings.summary_path = std::move(path);
  settings.workspace = variable("GITHUB_WORKSPACE");
  std::error_code none;
  if (settings.workspace.empty()) settings.workspace = std::filesystem::current_path(none).string();
  return settings;
}

void GithubReport::on_result(const TestReport& report, const Counts&) {
  const bool failed = (is_failure(report.status) || report.lost) && !report.will_retry;
  if (!failed && !report.is_flaky()) return;
  if (++m_annotated <= most_annotations) m_annotations += annotation(report);
  if (!failed) {
    if (m_flaky.size() < summary_bytes / 4)
      m_flaky +=
          "- " + code(report.id) + " passed on attempt " + std::to_string(report.attempt) + "\n";
    return;
  }
  ++m_failures;
  if (m_failed.size() < summary_bytes) m_failed += details(report);
}

void GithubReport::on_end(const Outcome& outcome) {
  const auto& counts = outcome.counts;
  const bool well = counts.failed + counts.unasked_failures + counts.lost == 0 &&
                    outcome.missing.empty() && outcome.doubts.empty() && !outcome.interrupted;
  m_summary = std::string("### Tests ") +
              (well                  ? "passed"
               : outcome.interrupted ? "interrupted"
                                     : "failed") +
              "\n\n" + counts_text(counts);
  if (!outcome.missing.empty())
    m_summary += ", " + std::to_string(outcome.missing.size()) + " without a result";
  m_summary += " in " + duration_text(outcome.elapsed) + "\n";
  if (m_failures != 0)
    m_summary += "\n#### Failed: " + std::to_string(m_failures) + "\n\n" + m_failed;
  if (m_failed.size() >= summary_bytes) m_summary += "\nThe others are in the job's log.\n";
  if (!m_flaky.empty()) m_summary += "\n#### Flaky\n\n" + m_flaky;
}

Expected<void> GithubReport::finish() {
  m_out.write(m_annotations);
  m_annotations.clear();
  auto written = m_out.flush();
  if (!m_settings.summary_path || m_summary.empty()) return written;
  const auto& path = *m_settings.summary_path;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0)
    return tl::unexpected(Error{"write the job's summary to " + path, std::strerror(errno), ""});
  ReportFile summary(path, fd);
  summary.write(m_summary);
  m_summary.clear();
  auto appended = summary.flush();
  return written ? appended : written;
}

std::string GithubReport::annotation(const TestReport& report) const {
  const bool failed = is_failure(report.status) || report.lost;
  std::string text = failed ? "::error " : "::warning ";
  if (const auto place = failed ? place_of(report) : std::nullopt)
    text += "file=" + command_text(in_workspace(place->file), true) + ",line=" + place->line + ",";
  text += "title=" + command_text(printable_line(report.id), true) + "::";
  auto message = failed ? beginning(details_of(report), annotation_bytes)
                        : "Flaky: passed on attempt " + std::to_string(report.attempt);
  if (message.empty()) message = message_of(report);
  while (message.ends_with('\n')) message.pop_back();
  return text + command_text(message, false) + "\n";
}

// GitHub wants paths of the repository. A compiler that ran in a folder of it left `../` in front.
std::string GithubReport::in_workspace(std::string file) const {
  const auto root = m_settings.workspace + "/";
  if (file.starts_with(root)) return file.substr(root.size());
  while (file.starts_with("../")) file.erase(0, 3);
  return file;
}

}  // namespace hearth::client
