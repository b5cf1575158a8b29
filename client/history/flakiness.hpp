// Which tests passed and failed although nothing had changed. Results in, in the order of their
// runs; no I/O.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "client/history/repository.hpp"

namespace hearth::client {

struct FlakyTest {
  std::string id;
  std::size_t executions = 0;  // passes and failures
  std::size_t failures = 0;
  std::size_t retry_passes = 0;  // passed after a failure, in one run
  std::size_t mixed_runs = 0;    // passed and failed in one run otherwise
  bool mixed_revision = false;   // passed and failed in runs between which nothing changed
  std::size_t turns = 0;         // from pass to failure or back, from one run to the next

  [[nodiscard]] double rate() const {
    return static_cast<double>(failures) / static_cast<double>(executions);
  }
};

class FlakinessFinder {
 public:
  void begin_run(const StoredRun& run);
  void add(const StoredResult& result);
  // The flaky ones, highest rate first. Where no revision is known of any run, those too that
  // turned twice or more: failed between passes, or passed between failures.
  [[nodiscard]] std::vector<FlakyTest> find() const;

 private:
  struct Story {
    FlakyTest test;
    std::size_t run = 0;  // of the last result, counted from 1
    std::size_t revision = 0;
    bool passed_in_run = false;
    bool failed_in_run = false;
    bool mixed_in_run = false;
    bool passed_in_revision = false;
    bool failed_in_revision = false;
    bool has_turned_to_failure = false;  // the verdict of the last run
  };
  void begin_run_of(Story& story) const;
  void note_verdict(Story& story, bool failed);

  std::unordered_map<std::string, Story> m_stories;
  std::size_t m_run = 0;
  std::size_t m_revision =
      0;  // counted from 1; grows with every change, and where nothing is known
  std::string m_last_revision;
  bool m_knows_revisions = false;
};

}  // namespace hearth::client
