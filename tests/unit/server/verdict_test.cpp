#include "server/verdict.hpp"

#include <doctest/doctest.h>
#include <signal.h>

using namespace hearth::server;
using hearth::protocol::TestStatus;
using namespace std::chrono_literals;

namespace {

constexpr int exited(int status) {
  return status << 8;
}
constexpr int killed(int signal) {
  return signal;
}

const std::optional<TestStatus> verdicts[] = {std::nullopt,      TestStatus::success,
                                              TestStatus::fail,  TestStatus::skip,
                                              TestStatus::xfail, TestStatus::uxsuccess};
const std::optional<int> endings[] = {
    std::nullopt,         exited(0),       exited(1),       exited(127),
    killed(SIGABRT),      killed(SIGSEGV), killed(SIGKILL), killed(SIGSEGV) | 0x80,
    0x7f | (SIGSTOP << 8)};

}  // namespace

TEST_CASE("Verdict: a pass is proved, over all combinations of what is known") {
  for (const auto& verdict : verdicts) {
    for (const auto& ending : endings) {
      for (const bool timed_out : {false, true}) {
        for (const bool trouble : {false, true}) {
          for (const bool left : {false, true}) {
            for (const bool leaks_fail : {false, true}) {
              Evidence evidence{verdict, ending, {}, trouble ? "trouble" : "", {}, leaks_fail};
              if (timed_out) evidence.timed_out = 1500ms;
              if (left) evidence.left = {{42, "sleep 9"}};
              const Judgement judgement = judge(evidence);
              const bool proved =
                  verdict && ending == exited(0) && !timed_out && !trouble && !(left && leaks_fail);
              CHECK(judgement.status == (proved ? *verdict : TestStatus::fail));
              CHECK(judgement.cause.empty() == proved);
              CHECK(judgement.left == (left ? "left process 42 behind (killed): sleep 9\n" : ""));
            }
          }
        }
      }
    }
  }
}

TEST_CASE("Verdict: the cause says what counts most") {
  const Evidence crashed{std::nullopt, killed(SIGSEGV), {}, {}, {}, false};
  CHECK(judge(crashed).cause ==
        "The test's process was killed by signal 11 (SIGSEGV) before the test had a verdict.");
  const Evidence left_early{std::nullopt, exited(0), {}, {}, {}, false};
  CHECK(judge(left_early).cause ==
        "The test's process exited with status 0 before the test had a verdict.");
  const Evidence crashed_later{TestStatus::success, killed(SIGABRT), {}, {}, {}, false};
  CHECK(judge(crashed_later).cause ==
        "The test reported a pass, but then its process was killed by signal 6 (SIGABRT).");
  const Evidence late{TestStatus::success, exited(0), 1500ms, {}, {}, false};
  CHECK(judge(late).cause ==
        "The test ran into its time limit of 1.5 s and was killed (it exited with status 0).");
  const Evidence unknown{TestStatus::skip, std::nullopt, {}, {}, {}, false};
  CHECK(judge(unknown).cause ==
        "The test reported a skip, but then its process ended in a way that is not known.");
  const Evidence lost{TestStatus::success, exited(0), 1s, "The warm process is gone.", {}, true};
  CHECK(judge(lost).cause == "The warm process is gone.");
  const Evidence leaks{TestStatus::success, exited(0), {}, {}, {{1, "a"}, {2, "b"}}, true};
  CHECK(judge(leaks).cause == "The test left 2 process(es) behind.");
}

TEST_CASE("Verdict: times in words") {
  CHECK(describe_time(600s) == "600 s");
  CHECK(describe_time(50ms) == "0.05 s");
}
