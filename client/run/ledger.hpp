// The ledger of a run: every execution that is asked for, which worker has it, and what it came to.
// An id without a final status is missing, never passed. Pure.
//
// A task is an execution of a test, numbered as the scheduler numbers them. A result belongs to the
// first task of its id that its worker has; a result of which the worker has no task was not asked
// for. Where packets have route codes (RPC-11.5), the first with a new code belongs to the oldest
// Run that asked for its id and has no code yet; from then on that code is that Run's, and once the
// Run is done, what carries it belongs to nothing.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "client/run/events.hpp"
#include "client/schedule/scheduler.hpp"

namespace hearth::client {

class Ledger {
 public:
  // `ids`: of the tasks from 0 on. It must stay where it is. `retries`: how often a test that fails
  // runs again.
  Ledger(const std::vector<std::string>& ids, unsigned retries);

  // All ids, once more: their tasks are numbered from 0 again. Nothing may be outstanding.
  void begin_round();
  // `task`, which the scheduler has added, is the next attempt of `failed`.
  void add_attempt(Task task, Task failed);

  [[nodiscard]] const std::string& id_of(Task task) const { return m_ids[m_tasks[task].test]; }
  [[nodiscard]] unsigned attempt_of(Task task) const { return m_tasks[task].attempt; }
  // Index of the test among the ids.
  [[nodiscard]] std::uint32_t test_of(Task task) const { return m_tasks[task].test; }

  void give(Worker worker, const std::string& nonce, std::span<const Task> tasks);
  // The task of which this is the start or the end; nullopt: it was not asked for there. `route`:
  // the packet's route code; empty: it has none.
  [[nodiscard]] std::optional<Task> started(Worker worker, std::string_view id,
                                            std::string_view route = {});
  [[nodiscard]] std::optional<Task> ended(Worker worker, std::string_view id,
                                          std::string_view route = {});
  // The route code that a Run of the worker is known to have; empty: none.
  [[nodiscard]] std::string route_of(Worker worker, const std::string& nonce) const;
  // A packet of that id and route code would be of a task of the worker.
  [[nodiscard]] bool expects(Worker worker, std::string_view id, std::string_view route) {
    return find(worker, id, route, true) != nullptr;
  }
  // The worker has a task of that id which has no result.
  [[nodiscard]] bool awaits(Worker worker, std::string_view id) const;
  // The task that a test of that id, running at the worker, is.
  [[nodiscard]] std::optional<Task> running(Worker worker, std::string_view id) const;
  // The Run is done: the tasks of it that have no result. The worker has them no more.
  [[nodiscard]] std::vector<Task> done(Worker worker, const std::string& nonce);
  // The worker is gone, and has nothing any more.
  void lost(Worker worker);
  [[nodiscard]] std::size_t outstanding(Worker worker) const;
  // Runs of the worker that are not done.
  [[nodiscard]] std::size_t runs(Worker worker) const;

  // Books a task's final status. True: it has failed, and has an attempt left.
  [[nodiscard]] bool book(Task task, protocol::TestStatus status);
  // Books a task that got no result from anywhere.
  void book_lost(Task task);
  // A result that was not asked for: in no count but that of such failures.
  void book_stray(protocol::TestStatus status) {
    if (is_failure(status)) ++m_counts.unasked_failures;
  }

  [[nodiscard]] const Counts& counts() const { return m_counts; }
  // Tasks of this round without a final status, in order.
  [[nodiscard]] std::vector<Task> open() const;

 private:
  struct Execution {
    std::uint32_t test;
    std::uint16_t attempt = 1;
    bool booked = false;
  };
  // Of the Runs of a worker, from 1; 0: no Run that is not done.
  using RunNumber = std::uint32_t;
  struct Outstanding {
    Task task;
    RunNumber run;
    bool started = false;
  };
  struct RunBook {
    RunNumber number;
    std::vector<Task> tasks;
    std::string route;
  };
  struct WorkerBooks {
    std::unordered_multimap<std::string_view, Outstanding> outstanding;
    std::map<std::string, RunBook> runs;                   // by nonce
    std::map<std::string, RunNumber, std::less<>> routes;  // by route code
    std::unordered_set<RunNumber> routed;                  // Runs that have a route code
    RunNumber last_run = 0;
  };

  Outstanding* find(Worker worker, std::string_view id, std::string_view route, bool started);
  static std::optional<RunNumber> run_of(WorkerBooks& books, std::string_view id,
                                         std::string_view route);
  void count(protocol::TestStatus status, bool flaky);

  const std::vector<std::string>& m_ids;
  unsigned m_retries;
  std::vector<Execution> m_tasks;
  std::unordered_map<Worker, WorkerBooks> m_workers;
  Counts m_counts;
};

}  // namespace hearth::client
