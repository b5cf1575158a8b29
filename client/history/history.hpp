// What is remembered of earlier runs, and where: the repository that the project already has
// (testr's, stestr's, inquest's), or one of our own. docs/history.md.
//
// Flow: open() finds it or, where there is none, makes ours; past() gives what the scheduler and
// the selection need; record() gives a listener that writes a run as it happens, and says in the
// end what could not be written. Trouble with a history never changes a run's results or its exit
// code: it is told, and the run goes on.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/run/events.hpp"
#include "protocol/error.hpp"

namespace hearth::client {

struct Past {
  std::unordered_map<std::string, nanoseconds> durations;  // the last known of each test
  std::vector<std::string> failing;  // ids that failed when they were run last
};

// Writes one run. Destroyed without on_end: the run was abandoned, and what it left is incomplete
// but readable.
class Recorder : public RunListener {
 public:
  // What is tested (client/history/revision.hpp): where two runs have the same, nothing has changed
  // between them. Before on_begin(); empty: not known.
  virtual void set_revision(const std::string& /*revision*/) {}
  // After on_end: the run's name in the repository ("12"), or why it could not be written in full.
  // A run that never began, or without tests, is not recorded: its name is empty.
  [[nodiscard]] virtual Expected<std::string> finish() = 0;
};

class History {
 public:
  virtual ~History() = default;
  // "the testr repository in .testrepository", for messages.
  [[nodiscard]] virtual std::string description() const = 0;
  [[nodiscard]] virtual Expected<Past> past() = 0;
  [[nodiscard]] virtual Expected<std::unique_ptr<Recorder>> record() = 0;

  // The history of the project in `directory`. `create`: where there is none, ours is made
  // (.hearth/).
  [[nodiscard]] static Expected<std::unique_ptr<History>> open(const std::string& directory,
                                                               bool create);
};

}  // namespace hearth::client
