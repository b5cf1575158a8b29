#include "client/show/history_text.hpp"

#include <doctest/doctest.h>

namespace hearth::client {
namespace {

using namespace std::chrono_literals;
using protocol::TestStatus;

constexpr protocol::Timestamp noon{std::chrono::seconds(1'800'000'000)};

StoredResult result(const std::string& id, TestStatus status, nanoseconds duration = 10ms) {
  StoredResult made;
  made.id = id;
  made.status = status;
  made.started_at = noon;
  made.duration = duration;
  made.worker = 1;
  return made;
}

TEST_CASE("HistoryText: the sums of a run") {
  RunTotals totals;
  for (int count = 0; count < 3; ++count) totals.add(result("p", TestStatus::success, 1s));
  totals.add(result("f", TestStatus::fail));
  totals.add(result("u", TestStatus::uxsuccess));
  totals.add(result("s", TestStatus::skip));
  totals.add(result("x", TestStatus::xfail));
  auto retried = result("r", TestStatus::fail);
  retried.retried = true;
  totals.add(retried);
  auto flaky = result("r", TestStatus::success);
  flaky.flaky = true;
  totals.add(flaky);
  totals.add(result("n", TestStatus::inprogress));
  StoredRun run{"12", noon, true, ""};
  CHECK(totals_text(run, totals) ==
        "run 12 of 2027-01-15 08:00:00 UTC: 9 tests, 3.1 s of tests' time: 3 passed, 1 flaky, 2 "
        "failed, "
        "1 did not end, 1 skipped, 1 failed as expected\n");
  run = {"3", std::nullopt, false, ""};
  CHECK(totals_text(run, RunTotals()) ==
        "run 3: 0 tests, 0.000 s of tests' time: 0 passed (the run was not finished)\n");
}

TEST_CASE("HistoryText: the slowest, longest first, in testr's table") {
  const std::vector<TimedTest> tests{{"a.Short", 1ms}, {"a.LongerThanAll", 12s}, {"größe", 2500ms}};
  CHECK(slowest_text(tests, 2) ==
        "Test id          Runtime (s)\n"
        "---------------  -----------\n"
        "a.LongerThanAll  12.000\n"
        "größe             2.500\n");
  CHECK(slowest_text(tests, 10).find("a.Short") != std::string::npos);
}

TEST_CASE("HistoryText: a test's story") {
  TestStory story("a\x1b");
  CHECK(story.empty());
  story.add({"1", noon, true, ""}, result("a", TestStatus::success, 10ms));
  auto untimed = result("a", TestStatus::fail);
  untimed.duration.reset();
  untimed.worker.reset();
  story.add({"10", std::nullopt, true, ""}, untimed);
  CHECK(story.text() ==
        "Run  Time                     Status   Runtime (s)  Server\n"
        "---  -----------------------  -------  -----------  --------\n"
        "1    2027-01-15 08:00:00 UTC  success  0.010        worker-1\n"
        "10   2027-01-15 08:00:00 UTC  fail\n"
        "\n"
        "a\\x1b: 2 executions, 1 of 2 results failed; 0.010 s on average\n");
}

TEST_CASE("HistoryText: flaky tests, with why they are") {
  FlakyTest one;
  one.id = "a";
  one.executions = 8;
  one.failures = 1;
  one.retry_passes = 1;
  one.mixed_revision = true;
  FlakyTest other;
  other.id = "longer";
  other.executions = 100;
  other.failures = 50;
  other.turns = 2;
  CHECK(flaky_text({one, other}) ==
        "Test id  Failed     Rate    Why\n"
        "-------  ---------  ------  ----------------------------------------------------------\n"
        "a        1 of 8     12.5 %  passed on retry 1 time; passed and failed without a change\n"
        "longer   50 of 100  50.0 %  turned 2 times\n");
}

}  // namespace
}  // namespace hearth::client
