#include "client/show/efficiency.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::protocol::Timestamp;
using std::chrono::milliseconds;

namespace {

constexpr SteadyTime begin{std::chrono::hours(1)};
constexpr Timestamp noon{std::chrono::seconds(1'800'000'000)};

struct Ran {
  const char* id;
  milliseconds from;  // since the start of the run
  milliseconds to;
  Worker worker = 0;
};

// The figures of a run of these tests; each worker's clock is wrong by as many hours as its number.
std::optional<EfficiencyFigures> figures(const std::vector<Ran>& ran, milliseconds wall,
                                         std::optional<nanoseconds> cpu = {}) {
  Efficiency efficiency;
  for (const auto& test : ran) {
    TestReport report;
    report.id = test.id;
    report.worker = test.worker;
    report.started_at = noon + test.from + test.worker * std::chrono::hours(1);
    report.ended_at = noon + test.to + test.worker * std::chrono::hours(1);
    efficiency.add(report, begin + test.to);
  }
  Outcome outcome;
  outcome.elapsed = wall;
  outcome.cpu = cpu;
  return efficiency.figures(outcome, begin + wall);
}

}  // namespace

TEST_CASE("Efficiency: where tests ran, how many at once, and what is left") {
  const auto found = figures({{"b", 1s, 3s}, {"a", 1s, 4s, 1}, {"c", 3s, 5s}, {"d", 5s, 9s}}, 10s);
  REQUIRE(found);
  CHECK(found->wall == 10s);
  CHECK(found->before_first == 1s);
  CHECK(found->after_last == 1s);
  CHECK(found->busy == 11s);
  CHECK(found->slots == 2);
  CHECK(found->idle == 9s);
  CHECK(found->tail == 5s);  // since a ended, one test at a time
  CHECK(found->tests == 4);
  CHECK(found->longest_id == "d");
  CHECK(found->longest == 4s);
  CHECK(found->longest_start == 5s);
  CHECK(found->last_id == "d");
  CHECK_FALSE(found->cpu);
}

TEST_CASE("Efficiency: a result that was long on its way does not move its worker's other tests") {
  Efficiency efficiency;
  TestReport report;
  report.id = "a";
  report.started_at = noon;
  report.ended_at = noon + 1s;
  efficiency.add(report, begin + 5s);
  report.id = "b";
  report.started_at = noon + 1s;
  report.ended_at = noon + 2s;
  efficiency.add(report, begin + 3s);
  Outcome outcome;
  outcome.elapsed = 5s;
  const auto found = efficiency.figures(outcome, begin + 5s);
  REQUIRE(found);
  CHECK(found->before_first == 1s);
  CHECK(found->after_last == 2s);
  CHECK(found->slots == 1);
  CHECK(found->tail == 0s);
}

TEST_CASE("Efficiency: without times there are no figures") {
  Efficiency efficiency;
  TestReport report;
  report.id = "a";
  efficiency.add(report, begin);
  CHECK_FALSE(efficiency.figures(Outcome{}, begin));
}

TEST_CASE("Efficiency: all ends at once leave no tail") {
  const auto found = figures({{"a", 0s, 2s}, {"b", 0s, 2s}}, 2s);
  REQUIRE(found);
  CHECK(found->slots == 2);
  CHECK(found->tail == 0s);
  CHECK(found->idle == 0s);
}

TEST_CASE("Efficiency: the figures as a line") {
  const auto found = figures({{"a", 0s, 8s}, {"b", 0s, 2s}}, 10s, 9s);
  REQUIRE(found);
  CHECK(efficiency_text(*found) ==
        "at most 2 tests at once; busy 10.0 s (50% of 2 x 10.0 s), idle 10.0 s, CPU 9.0 s, "
        "tail 6.0 s, longest test 8.0 s");
}

TEST_CASE("Efficiency: one sentence says what limits") {
  std::vector<Ran> full;  // four slots, busy for 9.7 of 10 s
  for (int i = 0; i < 40; ++i)
    full.push_back({"t", 970ms * (i / 4), 970ms * (i / 4 + 1), static_cast<Worker>(i % 4)});
  std::vector<Ran> thin;  // 1 ms of every 2 ms
  for (int i = 0; i < 1000; ++i) thin.push_back({"t", 2ms * i, 2ms * i + 1ms});
  std::vector<Ran> gaps;  // 1 s of every 2 s
  for (int i = 0; i < 10; ++i) gaps.push_back({"t", 2s * i, 2s * i + 1s});

  struct Row {
    std::vector<Ran> ran;
    milliseconds wall;
    std::optional<nanoseconds> cpu;
    unsigned cpus;
    const char* sentence;
  };
  const std::vector<Row> table{
      {{{"X", 500ms, 8600ms}, {"b", 500ms, 1s}},
       9s,
       {},
       4,
       "The longest test, X, took 8.1 s of 9.0 s: more parallelism will not help."},
      {{{"X", 0s, 9s}}, 9s, {}, 4, "There was one test to wait for, X."},
      {{{"a", 4200ms, 7s}, {"b", 4200ms, 9s}},
       9s,
       {},
       4,
       "4.2 s of 9.0 s went by before the first test started: loading the programs limits."},
      {{{"a", 0s, 4s}, {"b", 0s, 5s}},
       9s,
       {},
       4,
       "4.0 s of 9.0 s went by after the last test had ended: tear-down limits."},
      {{{"a", 0s, 3s}, {"b", 0s, 4s}, {"X", 4s, 9s}},
       9s,
       {},
       4,
       "For the last 6.0 s of 9.0 s fewer than 2 tests ran, until X (5.0 s) was done: starting "
       "long tests earlier, or splitting them, would help."},
      {full,
       10s,
       {},
       4,
       "Tests kept all 4 slots busy 100% of the time: more slots (--jobs) would help."},
      {full, 10s, 5s, 4,
       "Tests kept all 4 slots busy 100% of the time: more slots (--jobs) would help."},
      {full, 10s, 38s, 16,
       "Tests kept all 4 slots busy 100% of the time: more slots (--jobs) would help."},
      {full, 10s, 38s, 4,
       "Tests kept all 4 slots busy 100% of the time and used the CPU for most of it: more CPUs "
       "would help, more slots would not."},
      {{{"a", 0s, 5s}, {"b", 5s, 10s}},
       10s,
       {},
       1,
       "One test ran at a time, 100% of the time: more slots (--jobs) would help."},
      {thin,
       2s,
       {},
       1,
       "Between tests the slots stood idle 50% of the time: with 0.001 s for a test on average, "
       "starting them limits."},
      {gaps,
       20s,
       {},
       1,
       "Between tests the slots stood idle 47% of the time: groups of tests that run together, "
       "or the time between client and server, limit."},
  };
  for (const auto& row : table) {
    const auto found = figures(row.ran, row.wall, row.cpu);
    REQUIRE(found);
    CHECK(limit_sentence(*found, row.cpus) == row.sentence);
  }
}
