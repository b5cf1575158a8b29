// What each kind of repository gives beyond History: the runs that it has, for the commands that
// show them.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/history/history.hpp"

namespace hearth::client {

// One execution of a test, as a repository has it.
struct StoredResult {
  std::string id;
  // inprogress: the run ended before the test did.
  protocol::TestStatus status = protocol::TestStatus::undefined;
  std::optional<protocol::Timestamp> started_at;
  std::optional<nanoseconds> duration;
  std::optional<Worker> worker;
  bool retried = false;  // it failed, and the test ran again: not its last word
  bool flaky = false;    // a pass after a failure
  std::vector<Attachment> attachments;
};
using ResultSink = std::function<void(StoredResult&&)>;

[[nodiscard]] inline bool has_failed(protocol::TestStatus status) {
  using protocol::TestStatus;
  return status != TestStatus::success && status != TestStatus::skip && status != TestStatus::xfail;
}

struct StoredRun {
  std::string name;  // "12"
  std::optional<protocol::Timestamp> started_at;
  bool complete = true;  // false: it was interrupted or killed, as far as the repository can tell
  std::string revision = {};  // as Recorder::set_revision()
};

// What is wanted of each result. Without attachments some repositories are much faster.
enum class Detail : std::uint8_t { verdicts, everything };

class Repository : public History {
 public:
  // What these repositories cannot tell, for people; empty: nothing is lacking.
  [[nodiscard]] virtual std::string lacking() const { return ""; }
  // Oldest first.
  [[nodiscard]] virtual Expected<std::vector<StoredRun>> runs() = 0;
  // All executions of a run, in the order in which they ended.
  [[nodiscard]] virtual Expected<void> read_run(const StoredRun& run, Detail detail,
                                                const ResultSink& sink) = 0;
  // The tests that failed when they were run last, each once.
  [[nodiscard]] virtual Expected<void> read_failing(Detail detail, const ResultSink& sink) = 0;
  // All executions of one test, oldest first, without attachments.
  [[nodiscard]] virtual Expected<void> read_test(
      const std::string& id, const std::function<void(const StoredRun&, StoredResult&&)>& sink);

  // As History::open().
  [[nodiscard]] static Expected<std::unique_ptr<Repository>> open(
      const std::string& directory, bool create,
      std::chrono::milliseconds lock_patience = std::chrono::seconds(10));
};

}  // namespace hearth::client
