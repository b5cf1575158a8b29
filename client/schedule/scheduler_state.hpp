// What the scheduler knows: the tasks, the pool of those that nobody has, and each worker.
#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <queue>
#include <vector>

#include "client/schedule/pool.hpp"
#include "client/schedule/scheduler.hpp"
#include "client/schedule/task_table.hpp"

namespace hearth::client {

// A worker, as it is known here.
struct WorkerState {
  bool present = false;
  bool retired = false;
  bool alone = false;     // it runs a suspect, and nothing else
  bool reserved = false;  // it gets nothing until it is empty, and then a suspect
  bool in_line = false;   // to be looked at by next()
  bool hungry = false;    // it has an idle slot, and there was nothing for it
  TaskTable::List tasks;
  std::size_t queued = 0;
  std::size_t running = 0;
  std::size_t slow = 0;     // queued and running tests beside which a round trip is nothing
  double queued_work = 0;   // of the others, in nanoseconds
  double lead = 0;          // how much of that each slot should have
  double round_trip = 0;    // nanoseconds
  std::deque<Task> pinned;  // the rest of a group
  std::size_t slots = 0;    // tests that were seen to run at a time
  std::uint32_t pause = 0;  // tests that are to end before it is tried again whether there are more
  std::uint32_t next_pause = 1;

  [[nodiscard]] bool takes_work() const { return present && !retired; }
  [[nodiscard]] std::size_t given() const { return queued + running; }
  // How much work may wait for each slot, where each has `share` still coming. Orders smaller than
  // a round trip would leave the slot idle longer than they keep it busy.
  [[nodiscard]] double part(double share) const {
    return std::max(share / 4, std::min(share, round_trip));
  }
};

// A task that lost its worker once: it runs alone.
struct Suspect {
  double work;
  Task task;
  bool operator<(const Suspect& other) const {
    return work != other.work ? work < other.work : task > other.task;
  }
};

struct Scheduler::Impl {
  Impl(const std::vector<PlannedTest>& tests, ScheduleOptions with);

  WorkerState& state_of(Worker worker);
  void line_up(Worker worker);
  void line_up_all();
  void forget_slots(const WorkerState& of);
  void leave(WorkerState& of);
  void give_back(WorkerState& of, std::vector<Task> sent, Worker worker);
  void count_slots(const WorkerState& of);
  [[nodiscard]] double expected_slots() const;
  [[nodiscard]] double share() const;

  std::vector<Task> fill(Worker worker);
  bool goes_to_suspects(Worker worker, WorkerState& of, double share, std::vector<Task>& order);
  [[nodiscard]] double empties_in(const WorkerState& of) const;
  [[nodiscard]] bool has_enough(const WorkerState& of, double share) const;
  void take_all(Worker worker, WorkerState& of, std::vector<Task>& order);
  bool take_next(Worker worker, WorkerState& of, double share, bool idle);
  void probe(Worker worker, WorkerState& of, std::vector<Task>& order);
  void pin_all(const WorkerState& of);
  void give(Worker worker, WorkerState& of, Task task, std::vector<Task>& order);
  void remove(WorkerState& of, Task task, TaskState state);
  [[nodiscard]] bool is_at(Task task, Worker worker) const;

  ScheduleOptions options;
  TaskTable table;
  std::unique_ptr<Pool> pool;
  std::vector<float> costs;  // of each task, as it was believed when it was given
  std::priority_queue<Suspect> suspects;
  std::vector<WorkerState> workers;
  std::deque<Worker> line;
  std::vector<Worker> hungry;
  std::size_t present = 0;
  std::size_t joined = 0;  // ever
  std::size_t reserved = 0;
  std::size_t workers_seen = 0;  // present ones whose slots are known, and how many these are
  std::size_t slots_seen = 0;
  bool stopped = false;
};

}  // namespace hearth::client
