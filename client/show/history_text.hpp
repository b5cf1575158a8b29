// What `hearth last`, `failing`, `slowest`, `history` and `flaky` print. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "client/history/flakiness.hpp"
#include "client/history/repository.hpp"

namespace hearth::client {

// For failure_text().
[[nodiscard]] TestReport as_report(StoredResult&& result);

// What a run's results add up to.
struct RunTotals {
  Counts counts;
  nanoseconds time{};  // of all tests together

  void add(const StoredResult& result);
};
// "run 12 of 2026-11-20 15:00:00 UTC: 5 tests in 3.0 s of their time: 3 passed, 2 failed"
[[nodiscard]] std::string totals_text(const StoredRun& run, const RunTotals& totals);

struct TimedTest {
  std::string id;
  nanoseconds duration;
};
// Longest first, `most` of them, in testr's table.
[[nodiscard]] std::string slowest_text(std::vector<TimedTest> tests, std::size_t most);

// One line for each execution, and a summary.
class TestStory {
 public:
  explicit TestStory(std::string id) : m_id(std::move(id)) {}
  void add(const StoredRun& run, const StoredResult& result);
  [[nodiscard]] bool empty() const { return m_rows.empty(); }
  [[nodiscard]] std::string text() const;

 private:
  std::string m_id;
  std::vector<std::vector<std::string>> m_rows;
  RunTotals m_totals;
  std::size_t m_timed = 0;
};

[[nodiscard]] std::string flaky_text(const std::vector<FlakyTest>& tests);

}  // namespace hearth::client
