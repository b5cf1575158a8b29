// What is known of a run: the ids asked for, what runs now, what each test came to. Results in,
// reports out; no I/O, no clock of its own. It keeps the ledger: an id without a final status is
// missing, never passed.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::client {

using SteadyTime = std::chrono::steady_clock::time_point;

// An attachment's text as far as it is kept: the beginning of a `traceback` or `reason`, the end of
// all others (what a test said last).
struct Attachment {
  std::string name;
  std::string mime_type;
  std::string text;      // the peer's bytes: to be made printable
  std::size_t size = 0;  // bytes received, kept or not
};

// One test's final status, and what came with it.
struct TestReport {
  std::string id;
  protocol::TestStatus status = protocol::TestStatus::undefined;
  std::optional<std::chrono::nanoseconds>
      duration;                         // by the server's clock; absent if it never started
  std::vector<Attachment> attachments;  // in order of arrival
  bool asked_for = true;
};

struct RunningTest {
  std::string_view id;
  SteadyTime since;
};

// A test that was asked for and has no final status.
struct MissingTest {
  std::string id;
  std::string route_code;  // of its packets so far; empty: none came
};

struct Counts {
  std::size_t expected = 0;  // tests asked for; one that was asked for twice is two
  std::size_t done = 0;      // of those
  std::size_t passed = 0;    // these four count results that were not asked for, too
  std::size_t failed = 0;
  std::size_t skipped = 0;
  std::size_t xfailed = 0;

  [[nodiscard]] std::size_t missing() const { return expected - done; }
  bool operator==(const Counts&) const = default;
};

class RunModel {
 public:
  RunModel() = default;
  explicit RunModel(std::vector<std::string> asked_for);
  RunModel(const RunModel&) = delete;
  RunModel& operator=(const RunModel&) = delete;

  // One packet that is not RPC. Returns the report of the test that it ends.
  [[nodiscard]] std::optional<TestReport> apply(const protocol::PacketView& packet, SteadyTime now);

  [[nodiscard]] const Counts& counts() const { return m_counts; }
  [[nodiscard]] const std::vector<std::string>& asked_for() const { return m_asked_for; }
  // In the order in which they started. Views last until the next apply().
  [[nodiscard]] std::vector<RunningTest> running() const;
  [[nodiscard]] std::size_t running_count() const;
  // Each as often as it lacks a final status, in the order asked for.
  [[nodiscard]] std::vector<MissingTest> missing() const;
  // What a test without a final status had attached by now.
  [[nodiscard]] std::vector<Attachment> attachments_of(std::string_view id) const;

 private:
  struct Open {  // a test of which something came, but not its final status
    std::string id;
    std::string route_code;
    bool started = false;
    SteadyTime since;
    std::optional<protocol::Timestamp> started_at;
    std::vector<Attachment> attachments;
  };

  Open& open_test(const protocol::PacketView& packet);
  [[nodiscard]] const Open* find_open(std::string_view id) const;
  TestReport close_test(std::string_view id, const protocol::PacketView& packet);
  void count(protocol::TestStatus status);
  bool settle(std::string_view id);

  std::vector<std::string> m_asked_for;
  std::unordered_map<std::string_view, std::uint32_t> m_outstanding;  // views into m_asked_for
  std::vector<Open> m_open;  // as many as run at a time: few
  Counts m_counts;
};

// A short cause for a list of failures: how the traceback, or else the reason, begins, in one line.
[[nodiscard]] std::string short_cause(const TestReport& report);

[[nodiscard]] bool is_failure(protocol::TestStatus status);

}  // namespace hearth::client
