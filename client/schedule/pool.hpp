// The tasks that nobody has, in units: a task on its own, or a group (what is left of it). A unit
// goes to one worker, whole.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "client/schedule/task_table.hpp"

namespace hearth::client {

class Pool {
 public:
  // What would come next.
  struct Head {
    Task task;    // the first of the unit
    double work;  // of the whole unit, in nanoseconds
  };

  virtual ~Pool() = default;
  // The unit that `worker` should take next. `share`: how much of the waiting work there is for
  // each slot.
  [[nodiscard]] virtual std::optional<Head> head(Worker worker, double share) = 0;
  // Takes that unit: appends its tasks to `tasks`.
  virtual void take_head(std::deque<Task>& tasks) = 0;

  // A task that can be given to a worker only to see whether it has room for one more: the one that
  // loses least by waiting behind others there.
  [[nodiscard]] virtual std::optional<Task> spare(Worker worker, double share) = 0;
  virtual void take_spare(std::deque<Task>& tasks) = 0;

  // A task behind all that is planned.
  virtual void append(Task task) = 0;
  // Tasks that come back from `worker`, in the order in which it had them.
  virtual void put_back(const std::vector<Task>& tasks, Worker worker) = 0;

  // Over all tasks in the table, which must outlive the pool.
  [[nodiscard]] static std::unique_ptr<Pool> longest_first(const TaskTable& table);
  [[nodiscard]] static std::unique_ptr<Pool> as_given(const TaskTable& table);
};

}  // namespace hearth::client
