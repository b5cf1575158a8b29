#include "client/reports/junit_report.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "client/reports/failure_details.hpp"
#include "client/reports/test_name.hpp"
#include "client/reports/xml_text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

constexpr std::size_t output_of_failure =
    std::size_t{128} * 1024;  // bytes of stdout and stderr each
constexpr std::size_t output_of_pass = std::size_t{4} * 1024;

std::string seconds_text(nanoseconds time) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.6f",
                std::max(0.0, std::chrono::duration<double>(time).count()));
  return text.data();
}

std::string timestamp_text(protocol::Timestamp at) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
  const auto time = static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &utc);
  return text.data();
}

std::string outputs(const TestReport& report, std::size_t most) {
  std::string text;
  for (const auto& [name, element] :
       {std::pair("stdout", "system-out"), {"stderr", "system-err"}}) {
    const auto output = output_of(report, name, most);
    if (output.empty()) continue;
    text += std::string("      <") + element + ">" + xml_text(output) + "</" + element + ">\n";
  }
  return text;
}

std::string_view type_of(const TestReport& report) {
  return report.lost ? "lost" : protocol::to_string(report.status);
}

std::string failure_head(const TestReport& report) {
  return " message=\"" + xml_attribute(message_of(report)) + "\" type=\"" +
         std::string(type_of(report)) + "\"";
}

std::string skipped_text(std::string_view type, std::string_view message) {
  return "      <skipped type=\"" + std::string(type) + "\" message=\"" + xml_attribute(message) +
         "\"/>\n";
}

std::string attribute(const char* name, std::size_t count) {
  return std::string(" ") + name + "=\"" + std::to_string(count) + "\"";
}

std::string directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string temporary_directory() {
  const char* const named = std::getenv("TMPDIR");
  return named != nullptr && *named != '\0' ? named : "/tmp";
}

// The file itself where `path` is a link to it: the link stays.
std::string resolved(const std::string& path) {
  char* const real = realpath(path.c_str(), nullptr);
  if (real == nullptr) return path;
  std::string resolved_path = real;
  std::free(real);
  return resolved_path;
}

Error write_error(const std::string& path, int number) {
  return {"write the results to " + path, std::strerror(number), ""};
}

}  // namespace

Expected<std::unique_ptr<Report>> JUnitReport::open(const std::string& given) {
  struct stat status {};
  const bool out = given == "-";
  const auto path = out ? given : resolved(given);
  const bool exists = out || stat(path.c_str(), &status) == 0;
  bool in_place = out || (exists && !S_ISREG(status.st_mode));
  if (exists && !out && access(path.c_str(), W_OK) != 0)
    return tl::unexpected(write_error(given, errno));
  if (exists && !out && S_ISDIR(status.st_mode)) return tl::unexpected(write_error(given, EISDIR));
  auto spool = Spool::open(in_place ? temporary_directory() : directory_of(path));
  if (!spool && exists && !in_place) {  // a file that may be written in a directory that may not
    in_place = true;
    spool = Spool::open(temporary_directory());
  }
  if (!spool)
    return tl::unexpected(Error{"write the results to " + given, spool.error().cause, ""});
  return std::unique_ptr<Report>(new JUnitReport(path, in_place, std::move(*spool)));
}

void JUnitReport::on_result(const TestReport& report, const Counts&) {
  if (report.will_retry) {
    m_attempts[report.id].push_back(set_aside(report));
    return;
  }
  auto verdict = Verdict::passed;
  if (report.lost)
    verdict = Verdict::lost;
  else if (is_failure(report.status))
    verdict = Verdict::failed;
  else if (report.status == TestStatus::skip || report.status == TestStatus::xfail)
    verdict = Verdict::skipped;
  auto body = body_of(report, verdict);
  if (!body && !m_error) m_error = body.error();
  add_case(report, verdict, body.value_or(""));
}

void JUnitReport::on_end(const Outcome& outcome) {
  m_elapsed = outcome.elapsed;
  const auto why = outcome.interrupted     ? "not run to its end: the run was interrupted"
                   : outcome.stopped_early ? "not run: the run was stopped early"
                                           : "no result";
  // A reader that sees nothing but this file must not take the run for a green one.
  for (const auto& doubt : outcome.doubts) {
    TestReport report;
    report.id = "hearth.not certain";
    report.status = TestStatus::fail;
    report.lost = true;
    report.attachments.push_back({"traceback", "text/plain;charset=utf8", doubt, doubt.size()});
    add_case(report, Verdict::lost, body_of(report, Verdict::lost).value_or(""));
  }
  if (!outcome.interrupted && !outcome.stopped_early) return;  // each had its own result
  for (const auto& id : outcome.missing) {
    TestReport report;
    report.id = id;
    const auto failed = m_attempts.extract(id);  // and would have run again
    if (!failed) {
      add_case(report, Verdict::skipped, skipped_text("missing", why));
      continue;
    }
    std::string body;
    auto added = add_attempts(failed.mapped(), false, body);
    if (!added && !m_error) m_error = added.error();
    add_case(report, Verdict::failed, body);
  }
}

Expected<void> JUnitReport::finish() {
  if (m_error) return tl::unexpected(*m_error);
  if (m_in_place) {
    auto file = ReportFile::open(m_path);
    if (!file) return tl::unexpected(file.error());
    return write(*file);
  }
  const auto temporary = m_path + ".hearth-" + std::to_string(getpid());
  auto file = ReportFile::open(temporary);
  if (!file) return tl::unexpected(file.error());
  auto written = write(*file);
  if (written && rename(temporary.c_str(), m_path.c_str()) != 0)
    written = tl::unexpected(write_error(m_path, errno));
  if (!written) unlink(temporary.c_str());
  return written;
}

JUnitReport::Attempt JUnitReport::set_aside(const TestReport& report) {
  return {report.lost, m_spool.add(failure_head(report)), m_spool.add(xml_text(details_of(report))),
          m_spool.add(outputs(report, output_of_failure))};
}

// What is inside of the testcase.
Expected<std::string> JUnitReport::body_of(const TestReport& report, Verdict verdict) {
  std::vector<Attempt> attempts;
  if (const auto before = m_attempts.find(report.id); before != m_attempts.end()) {
    attempts = std::move(before->second);
    m_attempts.erase(before);
  }
  std::string text;
  const bool failed = verdict == Verdict::failed || verdict == Verdict::lost;
  if (verdict == Verdict::skipped)
    text = skipped_text(type_of(report),
                        report.status == TestStatus::xfail && message_of(report).empty()
                            ? "failed, as expected"
                            : message_of(report));
  if (failed && attempts.empty()) {
    const std::string element = verdict == Verdict::lost ? "error" : "failure";
    text = "      <" + element + failure_head(report) + ">" + xml_text(details_of(report)) + "</" +
           element + ">\n";
  } else if (failed) {
    attempts.push_back(set_aside(report));
  }
  if (auto added = add_attempts(attempts, !failed, text); !added)
    return tl::unexpected(added.error());
  if (!failed || attempts.empty())
    text += outputs(report, failed ? output_of_failure : output_of_pass);
  return text;
}

Expected<void> JUnitReport::add_attempts(const std::vector<Attempt>& attempts, bool passed,
                                         std::string& text) {
  for (std::size_t i = 0; i < attempts.size(); ++i) {
    const auto& attempt = attempts[i];
    const bool first_of_failed = i == 0 && !passed;
    std::string element = attempt.lost ? "Error" : "Failure";
    element = first_of_failed ? (attempt.lost ? "error" : "failure")
                              : (passed ? "flaky" : "rerun") + element;
    text += "      <" + element;
    if (auto copied = m_spool.copy(attempt.head, text); !copied) return copied;
    text += first_of_failed ? ">" : "><stackTrace>";
    if (auto copied = m_spool.copy(attempt.text, text); !copied) return copied;
    text += first_of_failed ? "</" + element + ">\n" : "</stackTrace>\n";
    if (auto copied = m_spool.copy(attempt.output, text); !copied) return copied;
    if (!first_of_failed) text += "      </" + element + ">\n";
  }
  return {};
}

std::uint32_t JUnitReport::count(std::string_view name, Verdict verdict, const TestReport& report) {
  const auto known = m_suite_of.try_emplace(std::string(name), m_suites.size());
  if (known.second) m_suites.push_back({std::string(name), {}, report.started_at});
  auto& suite = m_suites[known.first->second];
  ++suite.totals.tests;
  suite.totals.failures += verdict == Verdict::failed;
  suite.totals.errors += verdict == Verdict::lost;
  suite.totals.skipped += verdict == Verdict::skipped;
  suite.totals.time += report.duration().value_or(nanoseconds{});
  return known.first->second;
}

void JUnitReport::add_case(const TestReport& report, Verdict verdict, std::string_view body) {
  const auto [class_name, name] = split_id(report.id);
  std::string text = "    <testcase name=\"" + xml_attribute(name) + "\" classname=\"" +
                     xml_attribute(class_name) + "\" time=\"" +
                     seconds_text(report.duration().value_or(nanoseconds{})) + "\"";
  if (body.empty())
    text += "/>\n";
  else
    text += ">\n" + std::string(body) + "    </testcase>\n";
  const auto suite = count(class_name, verdict, report);
  m_cases.push_back({suite, m_spool.add(text)});
}

Expected<void> JUnitReport::write(ReportFile& file) {
  Totals all;
  for (const auto& suite : m_suites) {
    all.tests += suite.totals.tests;
    all.failures += suite.totals.failures;
    all.errors += suite.totals.errors;
  }
  std::stable_sort(m_cases.begin(), m_cases.end(),
                   [](const Case& a, const Case& b) { return a.suite < b.suite; });
  file.write("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"hearth\"" +
             attribute("tests", all.tests) + attribute("failures", all.failures) +
             attribute("errors", all.errors) + " time=\"" + seconds_text(m_elapsed) + "\">\n");
  auto next = m_cases.begin();
  std::string text;
  for (std::uint32_t i = 0; i < m_suites.size(); ++i) {
    const auto& [name, totals, started_at] = m_suites[i];
    const auto at = started_at ? started_at : m_started_at;
    file.write("  <testsuite name=\"" + xml_attribute(name) + "\"" +
               attribute("tests", totals.tests) + attribute("failures", totals.failures) +
               attribute("errors", totals.errors) + attribute("skipped", totals.skipped) +
               " time=\"" + seconds_text(totals.time) + "\"" +
               (at ? " timestamp=\"" + timestamp_text(*at) + "\"" : "") + ">\n");
    for (; next != m_cases.end() && next->suite == i; ++next) {
      text.clear();
      if (auto copied = m_spool.copy(next->text, text); !copied) return copied;
      file.write(text);
    }
    file.write("  </testsuite>\n");
  }
  file.write("</testsuites>\n");
  return file.flush();
}

}  // namespace hearth::client
