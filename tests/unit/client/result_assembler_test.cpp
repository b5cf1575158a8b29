#include "client/run/result_assembler.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::protocol::TestStatus;
using test::file;
using test::status;

namespace {

constexpr SteadyTime t0{};

}  // namespace

TEST_CASE("Results: a test from its start to its report") {
  ResultAssembler results;
  CHECK(results.apply(status("a", TestStatus::inprogress), t0).starts);
  REQUIRE(results.running().size() == 1);
  CHECK(results.running()[0].id == "a");
  CHECK(results.running()[0].since == t0);
  for (const auto& packet :
       {file("a", "stdout", "one "), file("a", "stderr", "err"), file("a", "stdout", "two")}) {
    const auto step = results.apply(packet, t0);
    CHECK_FALSE(step.starts);
    CHECK_FALSE(step.ends);
  }
  const auto report = results.apply(status("a", TestStatus::fail, 250ms), t0).ends;
  REQUIRE(report);
  CHECK(report->id == "a");
  CHECK(report->status == TestStatus::fail);
  CHECK(report->duration() == 250ms);
  REQUIRE(report->attachments.size() == 2);
  CHECK(report->attachments[0].name == "stdout");
  CHECK(report->attachments[0].text == "one two");
  CHECK(report->attachments[0].size == 7);
  CHECK(report->attachments[1].text == "err");
  CHECK(results.running().empty());
}

TEST_CASE("Results: a test that never started has no duration and was never running") {
  ResultAssembler results;
  CHECK_FALSE(results.apply(file("gone", "traceback", "no such test"), t0).ends);
  CHECK(results.running().empty());
  const auto report = results.apply(status("gone", TestStatus::fail), t0).ends;
  REQUIRE(report);
  CHECK_FALSE(report->duration());
  CHECK(short_cause(*report) == "no such test");
}

TEST_CASE("Results: a test that is said to start twice starts once") {
  ResultAssembler results;
  CHECK(results.apply(status("a", TestStatus::inprogress), t0).starts);
  CHECK_FALSE(results.apply(status("a", TestStatus::inprogress), t0).starts);
  CHECK(results.running().size() == 1);
}

TEST_CASE("Results: executions of one test on two routes are two") {
  ResultAssembler results;
  auto second = status("a", TestStatus::inprogress);
  second.route_code = "2";
  CHECK(results.apply(status("a", TestStatus::inprogress), t0).starts);
  CHECK(results.apply(second, t0 + 1s).starts);
  REQUIRE(results.running().size() == 2);
  CHECK(results.running()[0].since == t0);
  CHECK(results.apply(status("a", TestStatus::success), t0).ends);
  REQUIRE(results.running().size() == 1);
  CHECK(results.running()[0].since == t0 + 1s);
}

TEST_CASE("Results: what has no bearing on the run changes nothing") {
  ResultAssembler results;
  hearth::protocol::PacketView bare;
  CHECK_FALSE(results.apply(bare, t0).ends);
  CHECK_FALSE(results.apply(status("a", TestStatus::exists), t0).ends);
  CHECK(results.running().empty());
}

TEST_CASE("Results: what a test left unfinished had attached can be taken, once") {
  ResultAssembler results;
  (void)results.apply(status("a", TestStatus::inprogress), t0);
  (void)results.apply(file("a", "stdout", "last words"), t0);
  CHECK_FALSE(results.take("b"));
  const auto unfinished = results.take("a");
  REQUIRE(unfinished);
  CHECK(unfinished->route_code == "1");
  REQUIRE(unfinished->attachments.size() == 1);
  CHECK(unfinished->attachments[0].text == "last words");
  CHECK_FALSE(results.take("a"));
}

TEST_CASE("Results: of output the end is kept, of a traceback the beginning, of both the size") {
  ResultAssembler results;
  const std::string chunk(100'000, 'x');
  for (int i = 0; i < 20; ++i) {
    (void)results.apply(file("a", "stdout", chunk), t0);
    (void)results.apply(file("a", "traceback", chunk), t0);
  }
  (void)results.apply(file("a", "stdout", "the end"), t0);
  (void)results.apply(file("a", "traceback", "the end"), t0);
  const auto report = results.apply(status("a", TestStatus::fail), t0).ends;
  REQUIRE(report);
  const auto& output = report->attachments[0];
  const auto& traceback = report->attachments[1];
  CHECK(output.size == 2'000'007);
  CHECK(output.text.size() <= 128 * 1024);
  CHECK(output.text.ends_with("the end"));
  CHECK(traceback.size == 2'000'007);
  CHECK(traceback.text == std::string(256 * 1024, 'x'));
}

TEST_CASE("Results: a short cause is the traceback's beginning in one line") {
  TestReport report;
  CHECK(short_cause(report).empty());
  report.attachments.push_back({"stdout", "text/plain", "noise", 5});
  CHECK(short_cause(report).empty());
  report.attachments.push_back(
      {"traceback", "text/plain", "\n  f.cc:3: Failure\n\tgot:\r\n  1\x07\n", 30});
  CHECK(short_cause(report) == "f.cc:3: Failure got: 1\\x07");
}
