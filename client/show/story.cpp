#include "client/show/story.hpp"

#include <algorithm>

#include "client/show/progress.hpp"
#include "client/show/report.hpp"
#include "client/text.hpp"
#include "server/program_words.hpp"

namespace hearth::client {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t full_failures = 100;  // repeated in full
constexpr std::size_t full_failure_bytes = std::size_t{1} * 1024 * 1024;
constexpr std::size_t listed = 1000;  // ids of a list; their number is always given
constexpr std::size_t cause_columns = 100;
constexpr std::size_t slowest = 5;
constexpr auto worth_naming = 100ms;  // a test's time
constexpr auto worth_a_look = 1s;     // a run's

std::string more_text(std::size_t count, std::size_t shown) {
  return shown < count ? "    and " + std::to_string(count - shown) + " more\n" : std::string();
}

std::string missing_text(const Outcome& outcome) {
  const auto& missing = outcome.missing;
  if (missing.empty()) return {};
  if (outcome.interrupted)
    return "Interrupted: " + counted(missing.size(), "test") + " without a result.\n";
  if (outcome.stopped_early)
    return "Stopped early: " + counted(missing.size(), "test") + " without a result.\n";
  auto text = "No result from " + counted(missing.size(), "test") + ":\n";
  const auto shown = std::min(missing.size(), listed);
  for (std::size_t i = 0; i < shown; ++i) text += "    " + printable_line(missing[i]) + "\n";
  return text + more_text(missing.size(), shown);
}

std::string stopped_text(const Outcome& outcome) {
  if (!outcome.missing.empty()) return {};
  if (outcome.interrupted) return "Interrupted.\n";
  return outcome.stopped_early ? "Stopped early.\n" : "";
}

bool went_well(const Outcome& outcome) {
  const auto& counts = outcome.counts;
  return counts.failed + counts.unasked_failures + counts.lost == 0 && outcome.missing.empty() &&
         !outcome.lost && outcome.doubts.empty() && !outcome.interrupted;
}

}  // namespace

// What a program prints before its tests is told with every result, or with the failures.
std::string Story::note(std::string_view line) const {
  if (!m_options.every_result && server::is_quiet_line(line)) return {};
  return printable(line) + "\n";
}

std::string Story::result(const TestReport& report, SteadyTime now) {
  m_words.on_result(report);
  m_efficiency.add(report, now);
  remember_time(report);
  const bool failed = is_failure(report.status) || report.lost;
  if (failed) {
    if (!report.will_retry) remember(report);
    return failure_text(report, m_options.paint);
  }
  if (!report.is_flaky() && !m_options.every_result && report.asked_for) return {};
  auto line = result_line(report, m_options.paint);
  if (report.is_flaky() && ++m_flaky_count <= listed)
    m_flaky.push_back("    " + printable_line(report.id) + "  (passed on attempt " +
                      std::to_string(report.attempt) + ")\n");
  return report.status == protocol::TestStatus::skip ? line + attachments_text(report) : line;
}

std::string Story::running(const Snapshot& snapshot) const {
  return what_runs_now(snapshot, m_words);
}

std::string Story::end(const Outcome& outcome, SteadyTime now) const {
  auto text =
      "\n" + failures_text(outcome) + flaky_text() + missing_text(outcome) + stopped_text(outcome);
  if (outcome.elapsed >= worth_a_look) text += slowest_text() + efficiency(outcome, now);
  if (outcome.lost) text += "The server was lost: " + printable_line(*outcome.lost) + "\n";
  for (const auto& doubt : outcome.doubts) text += "Not certain: " + printable(doubt) + "\n";
  return text + counts_line(outcome);
}

void Story::remember(const TestReport& report) {
  if (m_failures.size() == full_failures || m_failure_bytes >= full_failure_bytes) return;
  // Without the word in front, so that a line that begins with FAIL is one failure.
  auto line = result_line(report);
  line.erase(0, line.find(' '));
  auto text =
      "  " +
      m_options.paint(Style::strong, line.substr(line.find_first_not_of(' '),
                                                 line.size() - line.find_first_not_of(' ') - 1)) +
      "\n" + attachments_text(report);
  m_failure_bytes += text.size();
  m_failures.push_back({report.id, std::move(text)});
}

void Story::remember_time(const TestReport& report) {
  const auto duration = report.duration();
  if (!duration || *duration < worth_naming) return;
  if (m_slowest.size() == slowest && m_slowest.back().duration >= *duration) return;
  const auto by_id = [&](const Timed& other) { return other.id == report.id; };
  const auto again = std::find_if(m_slowest.begin(), m_slowest.end(), by_id);
  if (again != m_slowest.end() && again->duration >= *duration) return;
  if (again != m_slowest.end()) m_slowest.erase(again);
  const auto place = std::find_if(m_slowest.begin(), m_slowest.end(),
                                  [&](const Timed& other) { return other.duration < *duration; });
  m_slowest.insert(place, {*duration, report.id});
  if (m_slowest.size() > slowest) m_slowest.pop_back();
}

std::string Story::failures_text(const Outcome& outcome) const {
  if (m_failures.empty()) return further_failures(outcome);
  // A run of one test has just shown it.
  if (outcome.counts.expected == 1 && outcome.missing.empty()) return {};
  std::string text = "Failed:\n";
  for (const auto& failure : m_failures) text += failure.text;
  return text + further_failures(outcome) + "\n";
}

// Those that are not repeated in full, a line each.
std::string Story::further_failures(const Outcome& outcome) const {
  std::map<std::string_view, std::size_t> repeated;
  for (const auto& failure : m_failures) ++repeated[failure.id];
  std::string text;
  std::size_t count = 0;
  for (const auto& [id, cause] : outcome.failures) {
    const auto known = repeated.find(id);
    if (known != repeated.end() && known->second-- > 0) continue;
    if (known != repeated.end()) ++known->second;
    if (++count > listed) continue;
    text += "    " + printable_line(id) +
            (cause.empty() ? "" : "  (" + fitted(cause, cause_columns) + ")") + "\n";
  }
  if (count == 0) return {};
  return "Failed, too:\n" + text + more_text(count, std::min(count, listed));
}

std::string Story::flaky_text() const {
  if (m_flaky_count == 0) return {};
  std::string text = "Flaky, a pass after a failure:\n";
  for (const auto& line : m_flaky) text += line;
  return text + more_text(m_flaky_count, m_flaky.size());
}

std::string Story::slowest_text() const {
  if (m_slowest.size() < 2) return {};
  std::string text = "Slowest:\n";
  for (const auto& [duration, id] : m_slowest) {
    auto time = duration_text(duration);
    if (time.size() < 10) time.insert(0, 10 - time.size(), ' ');
    text += time + "  " + printable_line(id) + "\n";
  }
  return text;
}

std::string Story::efficiency(const Outcome& outcome, SteadyTime now) const {
  const auto figures = m_efficiency.figures(outcome, now);
  if (!figures) return {};
  return "Time: " + efficiency_text(*figures) + "\n" + limit_sentence(*figures, m_options.cpus) +
         "\n";
}

std::string Story::counts_line(const Outcome& outcome) const {
  auto text = counts_text(outcome.counts);
  if (outcome.missing.size() > outcome.counts.lost)  // the others are counted already
    text +=
        ", " + std::to_string(outcome.missing.size() - outcome.counts.lost) + " without a result";
  const auto style = !went_well(outcome)         ? Style::bad
                     : outcome.counts.flaky != 0 ? Style::warning
                                                 : Style::good;
  return m_options.paint(style, text) + " in " + duration_text(outcome.elapsed) + "\n";
}

}  // namespace hearth::client
