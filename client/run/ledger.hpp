// The ledger of a run: every execution that is asked for, which worker has it, and what it came to.
// An id without a final status is missing, never passed. Pure.
//
// A task is an execution of a test, numbered as the scheduler numbers them. A result belongs to the
// first task of its id that its worker has; a result of which the worker has no task was not asked
// for.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
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
  // The task of which this is the start or the end; nullopt: it was not asked for there.
  [[nodiscard]] std::optional<Task> started(Worker worker, std::string_view id);
  [[nodiscard]] std::optional<Task> ended(Worker worker, std::string_view id);
  // The task that a test of that id, running at the worker, is.
  [[nodiscard]] std::optional<Task> running(Worker worker, std::string_view id) const;
  // The Run is done: the tasks of it that have no result. The worker has them no more.
  [[nodiscard]] std::vector<Task> done(Worker worker, const std::string& nonce);
  // The worker is gone, and has nothing any more.
  void lost(Worker worker);
  [[nodiscard]] std::size_t outstanding(Worker worker) const;

  // Books a task's final status. True: it has failed, and has an attempt left.
  [[nodiscard]] bool book(Task task, protocol::TestStatus status);
  // Books a task that got no result from anywhere.
  void book_lost(Task task);
  // A result that was not asked for.
  void book_stray(protocol::TestStatus status) { count(status, false); }

  [[nodiscard]] const Counts& counts() const { return m_counts; }
  // Tasks of this round without a final status, in order.
  [[nodiscard]] std::vector<Task> open() const;

 private:
  struct Execution {
    std::uint32_t test;
    std::uint16_t attempt = 1;
    bool booked = false;
  };
  struct Outstanding {
    Task task;
    bool started = false;
  };
  struct WorkerBooks {
    std::unordered_multimap<std::string_view, Outstanding> outstanding;
    std::map<std::string, std::vector<Task>> runs;  // by nonce
  };

  Outstanding* find(Worker worker, std::string_view id, bool started);
  void count(protocol::TestStatus status, bool flaky);

  const std::vector<std::string>& m_ids;
  unsigned m_retries;
  std::vector<Execution> m_tasks;
  std::unordered_map<Worker, WorkerBooks> m_workers;
  Counts m_counts;
};

}  // namespace hearth::client
