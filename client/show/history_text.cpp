#include "client/show/history_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/text.hpp"

namespace hearth::client {
namespace {

using protocol::TestStatus;
using Row = std::vector<std::string>;

// Columns by the widest of each; the last one is left as it is.
std::string table(const Row& header, const std::vector<Row>& rows) {
  std::vector<std::size_t> widths(header.size(), 0);
  const auto measure = [&](const Row& row) {
    for (std::size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], display_width(row[column]));
  };
  measure(header);
  for (const auto& row : rows) measure(row);
  std::string text;
  const auto write = [&](const Row& row) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      text += row[column];
      if (column + 1 < row.size())
        text.append(widths[column] - display_width(row[column]) + 2, ' ');
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  };
  write(header);
  Row line;
  for (const auto width : widths) line.emplace_back(width, '-');
  write(line);
  for (const auto& row : rows) write(row);
  return text;
}

std::string formatted(const char* format, double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), format, value);
  return text.data();
}

std::string time_text(const std::optional<protocol::Timestamp>& when) {
  if (!when) return "";
  using namespace std::chrono;
  const auto day = floor<days>(*when);
  const year_month_day date(day);
  const hh_mm_ss time(floor<std::chrono::seconds>(*when - day));
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02ld:%02ld:%02ld UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
                static_cast<long>(time.minutes().count()),
                static_cast<long>(time.seconds().count()));
  return text.data();
}

std::string status_text(const StoredResult& result) {
  if (result.status == TestStatus::inprogress) return "did not end";
  const std::string name(protocol::to_string(result.status));
  if (result.retried) return name + ", retried";
  return result.flaky ? name + ", on retry" : name;
}

std::string why_text(const FlakyTest& test) {
  std::string text;
  const auto add = [&](const std::string& reason) { text += (text.empty() ? "" : "; ") + reason; };
  if (test.retry_passes > 0) add("passed on retry " + counted(test.retry_passes, "time"));
  if (test.mixed_runs > 0) add("passed and failed within " + counted(test.mixed_runs, "run"));
  if (test.mixed_revision) add("passed and failed without a change");
  if (text.empty()) add("turned " + counted(test.turns, "time"));
  return text;
}

}  // namespace

TestReport as_report(StoredResult&& result) {
  TestReport report;
  report.id = std::move(result.id);
  report.status = result.status;
  report.started_at = result.started_at;
  if (result.started_at && result.duration) report.ended_at = *result.started_at + *result.duration;
  report.attachments = std::move(result.attachments);
  report.worker = result.worker.value_or(0);
  report.lost = result.status == TestStatus::inprogress;
  report.attempt = result.flaky ? 2 : 1;
  report.will_retry = result.retried;
  return report;
}

void RunTotals::add(const StoredResult& result) {
  if (result.duration) time += *result.duration;
  if (result.retried) return;
  ++counts.done;
  auto& count = result.status == TestStatus::inprogress ? counts.lost
                : has_failed(result.status)             ? counts.failed
                : result.flaky                          ? counts.flaky
                : result.status == TestStatus::skip     ? counts.skipped
                : result.status == TestStatus::xfail    ? counts.xfailed
                                                        : counts.passed;
  ++count;
}

std::string totals_text(const StoredRun& run, const RunTotals& totals) {
  const auto& counts = totals.counts;
  std::string text = "run " + run.name;
  if (run.started_at) text += " of " + time_text(run.started_at);
  text += ": " + counted(counts.done, "test") + ", " + duration_text(totals.time) +
          " of tests' time: " + std::to_string(counts.passed) + " passed";
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) text += ", " + std::to_string(count) + " " + what;
  };
  add(counts.flaky, "flaky");
  add(counts.failed, "failed");
  add(counts.lost, "did not end");
  add(counts.skipped, "skipped");
  add(counts.xfailed, "failed as expected");
  if (!run.complete) text += " (the run was not finished)";
  return text + "\n";
}

std::string slowest_text(std::vector<TimedTest> tests, std::size_t most) {
  const auto shown = std::min(most, tests.size());
  std::partial_sort(tests.begin(), tests.begin() + static_cast<std::ptrdiff_t>(shown), tests.end(),
                    [](const TimedTest& one, const TimedTest& other) {
                      if (one.duration != other.duration) return one.duration > other.duration;
                      return one.id < other.id;
                    });
  std::vector<Row> rows;
  std::size_t width = 0;
  for (std::size_t place = 0; place < shown; ++place) {
    const double seconds = std::chrono::duration<double>(tests[place].duration).count();
    rows.push_back({printable_line(tests[place].id), formatted("%.3f", seconds)});
    width = std::max(width, rows.back().back().size());
  }
  for (auto& row : rows) row.back().insert(0, width - row.back().size(), ' ');
  return table({"Test id", "Runtime (s)"}, rows);
}

void TestStory::add(const StoredRun& run, const StoredResult& result) {
  m_totals.add(result);
  if (result.duration) ++m_timed;
  const auto seconds =
      result.duration ? formatted("%.3f", std::chrono::duration<double>(*result.duration).count())
                      : "";
  m_rows.push_back({run.name, time_text(run.started_at ? run.started_at : result.started_at),
                    status_text(result), seconds,
                    result.worker ? "worker-" + std::to_string(*result.worker) : ""});
}

std::string TestStory::text() const {
  auto text = table({"Run", "Time", "Status", "Runtime (s)", "Server"}, m_rows);
  const auto& counts = m_totals.counts;
  text += "\n" + printable_line(m_id) + ": " + counted(m_rows.size(), "execution") + ", " +
          std::to_string(counts.failed + counts.lost) + " of " + counted(counts.done, "result") +
          " failed";
  if (counts.flaky > 0) text += ", " + std::to_string(counts.flaky) + " passed on retry";
  if (m_timed > 0)
    text +=
        "; " + duration_text(m_totals.time / static_cast<std::int64_t>(m_timed)) + " on average";
  return text + "\n";
}

std::string flaky_text(const std::vector<FlakyTest>& tests) {
  std::vector<Row> rows;
  for (const auto& test : tests)
    rows.push_back({printable_line(test.id),
                    std::to_string(test.failures) + " of " + std::to_string(test.executions),
                    formatted("%.1f %%", 100 * test.rate()), why_text(test)});
  return table({"Test id", "Failed", "Rate", "Why"}, rows);
}

}  // namespace hearth::client
