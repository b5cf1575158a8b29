#include "client/history/flakiness.hpp"

#include <doctest/doctest.h>

namespace hearth::client {
namespace {

using protocol::TestStatus;

StoredRun run_of(const std::string& revision) {
  StoredRun run;
  run.revision = revision;
  return run;
}

StoredResult result(const std::string& id, TestStatus status) {
  StoredResult made;
  made.id = id;
  made.status = status;
  return made;
}

// One letter for each run's verdict of test `t`: P, F, S (skipped).
std::vector<FlakyTest> found(const std::string& verdicts,
                             const std::vector<std::string>& revisions) {
  FlakinessFinder finder;
  for (std::size_t run = 0; run < verdicts.size(); ++run) {
    finder.begin_run(run_of(revisions.at(run)));
    finder.add(result("t", verdicts[run] == 'P'   ? TestStatus::success
                           : verdicts[run] == 'F' ? TestStatus::fail
                                                  : TestStatus::skip));
  }
  return finder.find();
}

TEST_CASE("FlakinessFinder: a verdict that changes while the programs do not") {
  CHECK(found("PF", {"a", "b"}).empty());
  CHECK(found("PFP", {"a", "b", "c"}).empty());
  CHECK(found("PPFF", {"a", "a", "b", "b"}).empty());
  CHECK(found("PSP", {"a", "a", "a"}).empty());
  const auto flaky = found("PPFF", {"a", "b", "b", "b"});
  REQUIRE(flaky.size() == 1);
  CHECK(flaky[0].mixed_revision);
  CHECK(flaky[0].mixed_runs == 0);
  CHECK(flaky[0].executions == 4);
  CHECK(flaky[0].failures == 2);
  CHECK(flaky[0].rate() == doctest::Approx(0.5));
}

TEST_CASE("FlakinessFinder: a change in between, and back, is a change") {
  CHECK(found("PPF", {"a", "b", "a"}).empty());
}

TEST_CASE("FlakinessFinder: where nothing is known of changes, failures between passes") {
  CHECK(found("PPFF", {"", "", "", ""}).empty());
  CHECK(found("FFPP", {"", "", "", ""}).empty());
  const auto flaky = found("PFPPF", {"", "", "", "", ""});
  REQUIRE(flaky.size() == 1);
  CHECK(flaky[0].turns == 3);
  CHECK(!flaky[0].mixed_revision);
}

TEST_CASE("FlakinessFinder: retries and repetitions in one run") {
  FlakinessFinder finder;
  finder.begin_run(run_of("a"));
  auto first = result("retried", TestStatus::fail);
  first.retried = true;
  auto second = result("retried", TestStatus::success);
  second.flaky = true;
  finder.add(first);
  finder.add(second);
  for (const auto status :
       {TestStatus::success, TestStatus::fail, TestStatus::success, TestStatus::success})
    finder.add(result("repeated", status));
  for (int time = 0; time < 3; ++time) finder.add(result("broken", TestStatus::fail));
  const auto flaky = finder.find();
  REQUIRE(flaky.size() == 2);
  CHECK(flaky[0].id == "retried");
  CHECK(flaky[0].retry_passes == 1);
  CHECK(flaky[0].mixed_runs == 0);
  CHECK(flaky[0].failures == 1);
  CHECK(flaky[1].id == "repeated");
  CHECK(flaky[1].mixed_runs == 1);
  CHECK(flaky[1].rate() == doctest::Approx(0.25));
}

}  // namespace
}  // namespace hearth::client
