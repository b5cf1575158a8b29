#include "client/show/story.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::protocol::TestStatus;
using hearth::protocol::Timestamp;

namespace {

TestReport report(std::string id, TestStatus status, std::chrono::milliseconds duration = {}) {
  TestReport made;
  made.id = std::move(id);
  made.status = status;
  if (duration > 0ms) {
    made.started_at = Timestamp(0ms);
    made.ended_at = Timestamp(duration);
  }
  return made;
}

TestReport failure(std::string id, std::string traceback) {
  auto made = report(std::move(id), TestStatus::fail);
  const auto size = traceback.size();
  made.attachments = {{"traceback", "text/plain", std::move(traceback), size}};
  return made;
}

Outcome outcome(Counts counts, nanoseconds elapsed = 500ms) {
  Outcome result;
  result.counts = counts;
  result.elapsed = elapsed;
  return result;
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

constexpr SteadyTime now{};

}  // namespace

TEST_CASE("Story: where all is well the end is one line") {
  CHECK(Story({}).end(outcome({1, 1, 1}), now) == "\n1 passed in 0.500 s\n");
}

TEST_CASE(
    "Story: failures are told at once and again at the end, in full, where no line begins with "
    "FAIL") {
  Story story({});
  CHECK(story.result(failure("p.S.t", "f.cc:1: no\n"), now) == "FAIL   p.S.t\n    f.cc:1: no\n");
  CHECK(story.result(report("p.S.u", TestStatus::success), now).empty());
  auto result = outcome({2, 2, 1, 1});
  result.failures = {{"p.S.t", "f.cc:1: no"}};
  CHECK(story.end(result, now) ==
        "\nFailed:\n  p.S.t\n    f.cc:1: no\n\n1 passed, 1 failed in 0.500 s\n");
}

TEST_CASE("Story: the failure of a run of one test is not repeated") {
  Story story({});
  (void)story.result(failure("p.S.t", "f.cc:1: no\n"), now);
  auto result = outcome({1, 1, 0, 1});
  result.failures = {{"p.S.t", "f.cc:1: no"}};
  CHECK(story.end(result, now) == "\n0 passed, 1 failed in 0.500 s\n");
}

TEST_CASE(
    "Story: of very many failures the first are repeated in full, the others with their causes") {
  Story story({});
  auto result = outcome({5000, 5000, 0, 5000});
  for (int i = 0; i < 5000; ++i) {
    (void)story.result(failure("t" + std::to_string(i), "cause\nfull text\n"), now);
    result.failures.push_back({"t" + std::to_string(i), "cause full text"});
  }
  const auto text = story.end(result, now);
  CHECK(count_of(text, "    full text\n") == 100);
  CHECK(count_of(text, "  (cause full text)\n") == 1000);
  CHECK(text.find("  t99\n") != text.npos);
  CHECK(text.find("Failed, too:\n    t100  (cause full text)\n") != text.npos);
  CHECK(text.find("    and 3900 more\n") != text.npos);
}

TEST_CASE("Story: very long failures are repeated up to a limit, each is named") {
  Story story({});
  auto result = outcome({10, 10, 0, 10});
  for (int i = 0; i < 10; ++i) {
    (void)story.result(failure("t" + std::to_string(i), std::string(300'000, 'x')), now);
    result.failures.push_back({"t" + std::to_string(i), "xxx"});
  }
  const auto text = story.end(result, now);
  CHECK(text.size() < 1'500'000);
  CHECK(text.find("Failed, too:\n    t4  (xxx)\n") != text.npos);
  CHECK(text.find("    t9  (xxx)\n") != text.npos);
}

TEST_CASE("Story: one id that failed twice is there twice") {
  Story story({});
  (void)story.result(failure("a", "one\n"), now);
  (void)story.result(failure("a", "two\n"), now);
  auto result = outcome({2, 2, 0, 2});
  result.failures = {{"a", "one"}, {"a", "two"}};
  const auto text = story.end(result, now);
  CHECK(count_of(text, "  a\n") == 2);
  CHECK(text.find("Failed, too") == text.npos);
}

TEST_CASE(
    "Story: a retried failure is shown, and is no failure at the end; the pass after it is flaky") {
  Story story({});
  auto first = failure("a", "no\n");
  first.will_retry = true;
  CHECK(story.result(first, now) == "RETRY  a  (attempt 1 failed, runs again)\n    no\n");
  auto second = report("a", TestStatus::success);
  second.attempt = 2;
  CHECK(story.result(second, now) == "FLAKY  a  (attempt 2, failed before)\n");
  CHECK(story.end(outcome({2, 2, 1, 0, 0, 0, 1}), now) ==
        "\nFlaky, a pass after a failure:\n    a  (passed on attempt 2)\n"
        "1 passed, 1 flaky in 0.500 s\n");
}

TEST_CASE("Story: a lost test is told as lost, and repeated") {
  Story story({});
  auto lost = failure("a", "the server died\n");
  lost.lost = true;
  CHECK(story.result(lost, now) == "LOST   a\n    the server died\n");
  auto result = outcome({2, 2, 1, 0, 0, 0, 0, 1});
  result.lost = "it was killed by signal 9 (SIGKILL)";
  CHECK(story.end(result, now) ==
        "\nFailed:\n  a\n    the server died\n\n"
        "The server was lost: it was killed by signal 9 (SIGKILL)\n"
        "1 passed, 1 lost in 0.500 s\n");
}

TEST_CASE("Story: with every result, a skipped test says why") {
  Story story({true});
  auto skipped = report("a", TestStatus::skip);
  skipped.attachments = {{"reason", "text/plain", "no network\n", 11}};
  CHECK(story.result(skipped, now) == "SKIP   a\n    no network\n");
  CHECK(story.result(report("b", TestStatus::xfail, 12ms), now) == "XFAIL  b  0.012 s\n");
}

TEST_CASE(
    "Story: missing tests are named, or counted where the run was interrupted or had enough") {
  auto result = outcome({3, 1, 1});
  result.missing = {"a", "b"};
  CHECK(Story({}).end(result, now) ==
        "\nNo result from 2 tests:\n    a\n    b\n1 passed, 2 without a result in 0.500 s\n");
  result.stopped_early = true;
  CHECK(Story({}).end(result, now) ==
        "\nStopped early: 2 tests without a result.\n1 passed, 2 without a result in 0.500 s\n");
  result.interrupted = true;
  CHECK(Story({}).end(result, now) ==
        "\nInterrupted: 2 tests without a result.\n1 passed, 2 without a result in 0.500 s\n");
  result.missing.clear();
  CHECK(Story({}).end(result, now) == "\nInterrupted.\n1 passed in 0.500 s\n");
}

TEST_CASE("Story: a run that takes a while ends with the slowest tests and what limits it") {
  Story story({});
  for (int i = 1; i <= 9; ++i) {
    auto one = report("t" + std::to_string(i), TestStatus::success, 150ms * i);
    (void)story.result(one, now + *one.duration());
  }
  const auto text = story.end(outcome({9, 9, 9}, 1500ms), now + 1500ms);
  CHECK(
      text ==
      "\nSlowest:\n     1.4 s  t9\n     1.2 s  t8\n     1.1 s  t7\n   0.900 s  t6\n   0.750 s  t5\n"
      "Time: at most 9 tests at once; busy 6.8 s (50% of 9 x 1.5 s), idle 6.8 s, tail 1.2 s, "
      "longest test 1.4 s\n"
      "The longest test, t9, took 1.4 s of 1.5 s: more parallelism will not help.\n"
      "9 passed in 1.5 s\n");
  CHECK(story.end(outcome({9, 9, 9}, 999ms), now + 999ms) == "\n9 passed in 0.999 s\n");
}

TEST_CASE("Story: the counts are green, yellow with flaky tests, red where anything is amiss") {
  Story story({false, Paint(true)});
  const auto starts = [&](Counts counts) {
    const auto text = story.end(outcome(counts), now);
    return text.substr(1, text.find('m'));
  };
  CHECK(starts({1, 1, 1}) == "\x1b[32m");
  CHECK(starts({1, 1, 0, 0, 0, 0, 1}) == "\x1b[33m");
  CHECK(starts({1, 1, 0, 1}) == "\x1b[1;31m");
  CHECK(starts({1, 1, 0, 0, 0, 0, 0, 1}) == "\x1b[1;31m");
}
