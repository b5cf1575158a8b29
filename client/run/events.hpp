// What happens in a run, as everybody sees it who shows, reports or records it: the display, the
// report files, the history. The orchestrator tells each RunListener the same things in the same
// order.
//
// Order: on_begin once the tests are chosen; then, for every test, the packets that came of it and
// on_result with what they add up to; on_tick in between; on_end last. on_note may come at any
// time, also before on_begin. A test that came to nothing (its server was lost) gets a packet and a
// result too, made here: a `fail` that says why.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::client {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::nanoseconds;

// Which server ran a test, from 0: testr's `worker-N`. A server that is started again keeps its
// number.
using Worker = std::uint32_t;

// An attachment's text as far as it is kept: the beginning of a `traceback` or `reason`, the end of
// all others (what a test said last).
struct Attachment {
  std::string name;
  std::string mime_type;
  std::string text;      // the peer's bytes: to be made printable
  std::size_t size = 0;  // bytes received, kept or not
};

// One execution's final status, and what came with it.
struct TestReport {
  std::string id;
  protocol::TestStatus status = protocol::TestStatus::undefined;
  std::optional<protocol::Timestamp>
      started_at;  // by the server's clock; absent if it never started
  std::optional<protocol::Timestamp> ended_at;
  std::vector<Attachment> attachments;  // in order of arrival
  Worker worker = 0;
  bool asked_for = true;
  bool lost = false;                    // no server gave a result: `fail`, made here
  unsigned attempt = 1;                 // above 1: with --retries, after failures
  bool will_retry = false;              // it failed and runs again: not the test's last word
  std::optional<nanoseconds> expected;  // how long it took the last time, where that is known

  [[nodiscard]] std::optional<nanoseconds> duration() const {
    if (!started_at || !ended_at) return std::nullopt;
    return *ended_at - *started_at;
  }
  // A pass after a failure.
  [[nodiscard]] bool is_flaky() const;
};

// `<program>.exit` or `<program>.<suite>.teardown`, also with the number that tells it from a
// test's id (RPC-12.4, 12.18): nobody need have asked for it.
[[nodiscard]] bool tells_of_an_end(std::string_view id);

// fail or uxsuccess.
[[nodiscard]] bool is_failure(protocol::TestStatus status);

struct RunningTest {
  std::string_view id;
  SteadyTime since;
  Worker worker = 0;
  std::optional<nanoseconds> expected;
};

// Failures that are retried are in none of these until the last attempt is over.
struct Counts {
  std::size_t expected = 0;  // tests asked for; one that was asked for twice is two
  std::size_t done = 0;      // of those
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t xfailed = 0;
  std::size_t flaky = 0;  // not in `passed`
  std::size_t lost = 0;   // not in `failed`
  // Results that nobody asked for and that are failures: a tear-down's, a program's end. In no
  // other count; other results that nobody asked for are in none.
  std::size_t unasked_failures = 0;

  [[nodiscard]] std::size_t missing() const { return expected - done; }
  bool operator==(const Counts&) const = default;
};

// One moment of a run. Views last as long as the call they are handed to.
struct Snapshot {
  Counts counts;
  std::vector<RunningTest> running;  // oldest first
  nanoseconds elapsed{};
  SteadyTime now;
  // Shown instead of counts while there is nothing to count ("listing the tests").
  std::string activity;
  std::optional<nanoseconds>
      remaining;  // how long it will still take, by history; absent: not known
};

struct RunInfo {
  const std::vector<std::string>* ids;  // the tests chosen, in the order in which they were
  bool all = false;                     // every listed test: a full run, not a part
  std::size_t workers = 1;
  protocol::Timestamp started_at;
};

struct FailedTest {
  std::string id;
  std::string cause;  // one line; may be empty
};

// How a run ended.
struct Outcome {
  Counts counts;
  nanoseconds elapsed{};             // from the start of hearth
  std::size_t slots = 0;             // tests that were seen to run at a time, over all servers
  std::optional<nanoseconds> cpu;    // used by local servers and all their tests
  std::vector<FailedTest> failures;  // in order of arrival
  std::vector<std::string> missing;  // without a result, in the order asked for; where nothing was
                                     // interrupted or stopped, each has had an on_result as lost
  std::optional<std::string> lost;   // why the last server was given up
  // Why it is not certain that these are all tests, and all results: faults of servers.
  std::vector<std::string> doubts;
  bool stopped_early = false;  // --max-failures or --until-failure had enough
  bool interrupted = false;
};

class RunListener {
 public:
  virtual ~RunListener() = default;
  // A line for people: a server's stderr, its errors, bytes that were no packets, its faults.
  // Without newline.
  virtual void on_note(std::string_view /*line*/) {}
  virtual void on_begin(const RunInfo& /*run*/) {}
  // A packet that is not RPC, of any test. `packet.wire` is as the server sent it: no `worker-N`
  // tag is in it.
  virtual void on_packet(Worker /*worker*/, const protocol::PacketView& /*packet*/) {}
  virtual void on_result(const TestReport& /*report*/, const Counts& /*counts*/) {}
  // Ten times a second.
  virtual void on_tick(const Snapshot& /*snapshot*/) {}
  // Somebody wants to know what runs now: the key `t`, or SIGUSR1.
  virtual void on_asked(const Snapshot& /*snapshot*/) {}
  // The run is about to be suspended (Ctrl-Z), and goes on.
  virtual void on_suspend() {}
  virtual void on_resume() {}
  virtual void on_end(const Outcome& /*outcome*/) {}
};

}  // namespace hearth::client
