#include "client/show/report.hpp"

#include <doctest/doctest.h>

#include "client/exit_code.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::protocol::TestStatus;

namespace {

TestReport failed() {
  TestReport report;
  report.id = "p.S.t";
  report.status = TestStatus::fail;
  report.started_at = hearth::protocol::Timestamp(0ms);
  report.ended_at = hearth::protocol::Timestamp(12ms);
  report.attachments = {
      {"traceback", "text/plain;charset=utf8", "f.cc:1: no\n", 11},
      {"stdout", "text/plain;charset=utf8", "said\x1b this", 10},
      {"dump", "application/octet-stream", "\x01\x02", 4096},
      {"empty", "text/plain", "", 0},
  };
  return report;
}

Outcome outcome(Counts counts) {
  Outcome result;
  result.counts = counts;
  result.elapsed = 1500ms;
  return result;
}

}  // namespace

TEST_CASE("Report: a failure is its line, then what it attached, nothing of it raw") {
  CHECK(failure_text(failed()) ==
        "FAIL   p.S.t  0.012 s\n"
        "    f.cc:1: no\n"
        "    stdout:\n"
        "      said\\x1b this\n"
        "    dump: 4096 bytes of application/octet-stream\n");
}

TEST_CASE("Report: of long output the last lines are shown, and how much there was") {
  auto report = failed();
  std::string output;
  for (int i = 0; i < 100; ++i) output += "line " + std::to_string(i) + "\n";
  report.attachments = {{"stdout", "text/plain", output, 5'000'000}};
  const auto text = failure_text(report);
  CHECK(text.find("    stdout, the last 320 of 5000000 bytes:\n      line 60\n") !=
        std::string::npos);
  CHECK(text.find("line 59") == std::string::npos);
  CHECK(text.ends_with("      line 99\n"));
}

TEST_CASE("Report: of a sanitizer's report the beginning is shown") {
  auto report = failed();
  std::string output;
  for (int i = 0; i < 100; ++i) output += "line " + std::to_string(i) + "\n";
  const std::string explained = "==7==ERROR: AddressSanitizer: heap-use-after-free\n";
  output +=
      explained + "Shadow bytes around the buggy address:\n  0x1: fa\n=>0x2: fd\n==7==ABORTING\n";
  report.attachments = {{"stderr", "text/plain", output, output.size()}};
  CHECK(failure_text(report) ==
        "FAIL   p.S.t  0.012 s\n    stderr, 64 of " + std::to_string(output.size()) +
            " bytes, from the first report on:\n      " + explained + "      ==7==ABORTING\n");
}

TEST_CASE("Report: a result's line has its status, and says if nobody asked for it") {
  TestReport report;
  report.id = "a";
  const std::vector<std::pair<TestStatus, std::string>> table{
      {TestStatus::success, "PASS   a\n"},   {TestStatus::fail, "FAIL   a\n"},
      {TestStatus::skip, "SKIP   a\n"},      {TestStatus::xfail, "XFAIL  a\n"},
      {TestStatus::uxsuccess, "XPASS  a\n"}, {TestStatus::undefined, "LOST   a\n"}};
  for (const auto& [verdict, line] : table) {
    report.status = verdict;
    CHECK(result_line(report) == line);
  }
  report.asked_for = false;
  CHECK(result_line(report) == "LOST   a  (not asked for)\n");
  // Nobody need ask how a program or a suite ends.
  report.status = TestStatus::fail;
  for (const char* id : {"p.exit", "p.S.teardown", "p.S.teardown #2", "p.exit #13"}) {
    report.id = id;
    CHECK(result_line(report) == "FAIL   " + report.id + "\n");
  }
  report.id = "p.exits #x";
  CHECK(result_line(report) == "FAIL   p.exits #x  (not asked for)\n");
}

TEST_CASE("Report: a flaky, a retried, a lost and a slow test are shown as what they are") {
  TestReport report;
  report.id = "a";
  report.status = TestStatus::fail;
  report.will_retry = true;
  CHECK(result_line(report) == "RETRY  a  (attempt 1 failed, runs again)\n");
  report.will_retry = false;
  report.attempt = 2;
  CHECK(result_line(report) == "FAIL   a  (attempt 2)\n");
  report.lost = true;
  CHECK(result_line(report) == "LOST   a  (attempt 2)\n");
  report.lost = false;
  report.status = TestStatus::success;
  CHECK(result_line(report) == "FLAKY  a  (attempt 2, failed before)\n");
  report.attempt = 1;
  report.started_at = hearth::protocol::Timestamp(0s);
  report.ended_at = hearth::protocol::Timestamp(9s);
  report.expected = 1s;
  CHECK(result_line(report) == "PASS   a  9.0 s  (slow, 1.0 s the last time)\n");
}

TEST_CASE("Report: colour is for the word in front only") {
  TestReport report;
  report.id = "a";
  report.status = TestStatus::success;
  CHECK(result_line(report, Paint(true)) == "\x1b[32mPASS \x1b[0m  a\n");
}

TEST_CASE("Report: the exit code is the worst of what happened") {
  auto result = outcome({2, 2, 2, 0, 0, 0});
  CHECK(exit_code(result) == ExitCode::success);
  result.counts = {4, 4, 1, 0, 1, 2};
  CHECK(exit_code(result) == ExitCode::success);
  result.counts.failed = 1;
  CHECK(exit_code(result) == ExitCode::failures);
  result.missing = {"a"};
  CHECK(exit_code(result) == ExitCode::results_missing);
  result.missing.clear();
  result.lost = "it was killed";
  CHECK(exit_code(result) == ExitCode::results_missing);
  result.interrupted = true;
  CHECK(exit_code(result) == ExitCode::interrupted);
}
