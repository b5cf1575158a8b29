#include "client/run_model.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::protocol::TestStatus;
using test::file;
using test::status;

namespace {

constexpr SteadyTime t0{};

std::vector<std::string> missing_ids(const RunModel& model) {
  std::vector<std::string> ids;
  for (const auto& test : model.missing()) ids.push_back(test.id);
  return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("Run model: a test from its start to its report") {
  RunModel model({"a", "b"});
  CHECK_FALSE(model.apply(status("a", TestStatus::inprogress), t0));
  REQUIRE(model.running_count() == 1);
  CHECK(model.running()[0].id == "a");
  CHECK(model.running()[0].since == t0);
  CHECK_FALSE(model.apply(file("a", "stdout", "one "), t0));
  CHECK_FALSE(model.apply(file("a", "stderr", "err"), t0));
  CHECK_FALSE(model.apply(file("a", "stdout", "two"), t0));
  const auto report = model.apply(status("a", TestStatus::fail, 250ms), t0);
  REQUIRE(report);
  CHECK(report->id == "a");
  CHECK(report->status == TestStatus::fail);
  CHECK(report->duration == 250ms);
  CHECK(report->asked_for);
  REQUIRE(report->attachments.size() == 2);
  CHECK(report->attachments[0].name == "stdout");
  CHECK(report->attachments[0].text == "one two");
  CHECK(report->attachments[0].size == 7);
  CHECK(report->attachments[1].text == "err");
  CHECK(model.running().empty());
  CHECK(missing_ids(model) == Ids{"b"});
}

TEST_CASE("Run model: every status is counted as what it is") {
  RunModel model({"a", "b", "c", "d", "e"});
  for (const auto& [id, verdict] :
       std::vector<std::pair<std::string, TestStatus>>{{"a", TestStatus::success},
                                                       {"b", TestStatus::fail},
                                                       {"c", TestStatus::skip},
                                                       {"d", TestStatus::xfail},
                                                       {"e", TestStatus::uxsuccess}})
    CHECK(model.apply(status(id, verdict), t0));
  CHECK(model.counts() == Counts{5, 5, 1, 2, 1, 1});
  CHECK(model.counts().missing() == 0);
  CHECK(model.missing().empty());
}

TEST_CASE("Run model: a test that never started has no duration and was never running") {
  RunModel model({"gone"});
  CHECK_FALSE(model.apply(file("gone", "traceback", "no such test"), t0));
  CHECK(model.running().empty());
  const auto report = model.apply(status("gone", TestStatus::fail), t0);
  REQUIRE(report);
  CHECK_FALSE(report->duration);
  CHECK(short_cause(*report) == "no such test");
}

TEST_CASE("Run model: an id asked for twice is two tests") {
  RunModel model({"a", "a", "b"});
  CHECK(model.counts().expected == 3);
  CHECK(model.apply(status("a", TestStatus::success), t0)->asked_for);
  CHECK(missing_ids(model) == Ids{"a", "b"});
  CHECK(model.apply(status("a", TestStatus::success), t0)->asked_for);
  CHECK(missing_ids(model) == Ids{"b"});
  CHECK_FALSE(model.apply(status("a", TestStatus::success), t0)->asked_for);
  CHECK(model.counts().done == 2);
  CHECK(model.counts().passed == 3);
}

TEST_CASE("Run model: a result that was not asked for counts, and fills no gap") {
  RunModel model({"p.S.a"});
  const auto report = model.apply(status("p.S.teardown", TestStatus::fail), t0);
  REQUIRE(report);
  CHECK_FALSE(report->asked_for);
  CHECK(model.counts() == Counts{1, 0, 0, 1, 0, 0});
  CHECK(missing_ids(model) == Ids{"p.S.a"});
}

TEST_CASE("Run model: what has no bearing on the run changes nothing") {
  RunModel model({"a"});
  hearth::protocol::PacketView bare;
  CHECK_FALSE(model.apply(bare, t0));
  CHECK_FALSE(model.apply(status("a", TestStatus::exists), t0));
  CHECK(model.counts() == Counts{1, 0, 0, 0, 0, 0});
  CHECK(model.running().empty());
}

TEST_CASE(
    "Run model: a missing test that had started has its packets' route code and attachments") {
  RunModel model({"a", "b"});
  (void)model.apply(status("a", TestStatus::inprogress), t0);
  (void)model.apply(file("a", "stdout", "last words"), t0);
  const auto missing = model.missing();
  REQUIRE(missing.size() == 2);
  CHECK(missing[0].route_code == "1");
  CHECK(missing[1].route_code.empty());
  REQUIRE(model.attachments_of("a").size() == 1);
  CHECK(model.attachments_of("a")[0].text == "last words");
  CHECK(model.attachments_of("b").empty());
}

TEST_CASE("Run model: of output the end is kept, of a traceback the beginning, of both the size") {
  RunModel model({"a"});
  const std::string chunk(100'000, 'x');
  for (int i = 0; i < 20; ++i) {
    (void)model.apply(file("a", "stdout", chunk), t0);
    (void)model.apply(file("a", "traceback", chunk), t0);
  }
  (void)model.apply(file("a", "stdout", "the end"), t0);
  (void)model.apply(file("a", "traceback", "the end"), t0);
  const auto report = model.apply(status("a", TestStatus::fail), t0);
  REQUIRE(report);
  const auto& output = report->attachments[0];
  const auto& traceback = report->attachments[1];
  CHECK(output.size == 2'000'007);
  CHECK(output.text.size() <= 128 * 1024);
  CHECK(output.text.ends_with("the end"));
  CHECK(traceback.size == 2'000'007);
  CHECK(traceback.text == std::string(256 * 1024, 'x'));
}

TEST_CASE("Run model: a short cause is the traceback's beginning in one line") {
  TestReport report;
  CHECK(short_cause(report).empty());
  report.attachments.push_back({"stdout", "text/plain", "noise", 5});
  CHECK(short_cause(report).empty());
  report.attachments.push_back(
      {"traceback", "text/plain", "\n  f.cc:3: Failure\n\tgot:\r\n  1\x07\n", 30});
  CHECK(short_cause(report) == "f.cc:3: Failure got: 1\\x07");
}
