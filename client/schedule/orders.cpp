// What a worker is sent, and when.
#include <limits>

#include "client/schedule/scheduler_state.hpp"

namespace hearth::client {
namespace {

constexpr auto all_work = std::numeric_limits<double>::infinity();
constexpr double refill_below = 0.5;  // of a full queue
// Of what each slot still has coming: a suspect that is longer than this part must not wait; a test
// that may have to wait where it is sent must be shorter.
constexpr double must_not_wait = 0.5;
constexpr double most_for_probe = 0.5;
// A worker is emptied for a suspect if that takes no longer than this part of the suspect itself.
constexpr double most_for_drain = 0.25;
constexpr std::size_t first_probes = 7;

}  // namespace

// How much of the waiting work there is for each slot.
double Scheduler::Impl::share() const {
  if (present <= 1 && options.workers <= joined) return all_work;
  return table.work(TaskState::waiting) / std::max(1.0, expected_slots());
}

// What `worker` should be sent now; may be nothing.
std::vector<Task> Scheduler::Impl::fill(Worker worker) {
  auto& of = workers[worker];
  std::vector<Task> order;
  if (!of.takes_work() || of.alone) return order;
  const auto part = share();
  if (goes_to_suspects(worker, of, part, order)) return order;
  if (options.all_at_once) {
    take_all(worker, of, order);
    return order;
  }
  const auto slots = std::max<std::size_t>(of.slots, 1);
  if (of.given() < slots || !has_enough(of, part)) {
    while (order.size() < options.most_in_batch) {
      const bool idle = of.given() < slots;
      if (!idle && of.given() >= slots + options.most_in_batch) break;
      if (!take_next(worker, of, part, idle)) break;
      give(worker, of, of.pinned.front(), order);
    }
  }
  probe(worker, of, order);
  if (of.given() < slots && !of.hungry) {
    of.hungry = true;
    hungry.push_back(worker);
  }
  return order;
}

void Scheduler::Impl::take_all(Worker worker, WorkerState& of, std::vector<Task>& order) {
  while (true) {
    if (of.pinned.empty()) {
      if (!pool->head(worker, all_work)) return;
      pool->take_head(of.pinned);
      pin_all(of);
    }
    give(worker, of, of.pinned.front(), order);
  }
}

// True if the worker's next work is a suspect, now or when it is empty.
bool Scheduler::Impl::goes_to_suspects(Worker worker, WorkerState& of, double share,
                                       std::vector<Task>& order) {
  if (suspects.empty()) {
    if (of.reserved) --reserved;
    of.reserved = false;
    return false;
  }
  if (of.given() == 0) {
    const auto suspect = suspects.top().task;
    suspects.pop();
    if (of.reserved) --reserved;
    of.reserved = false;
    of.alone = true;
    of.pinned.push_front(suspect);
    give(worker, of, suspect, order);
    return true;
  }
  if (of.reserved) return true;
  const bool may_wait = suspects.top().work < must_not_wait * share;
  if (may_wait || !of.pinned.empty() || reserved >= suspects.size()) return false;
  if (empties_in(of) > most_for_drain * suspects.top().work) return false;
  of.reserved = true;
  ++reserved;
  return true;
}

// At the latest, by what is expected of what it has.
double Scheduler::Impl::empties_in(const WorkerState& of) const {
  double longest = of.queued_work;
  for (auto task = of.tasks.first; task != TaskTable::none && of.slow > 0; task = table.after(task))
    longest = std::max(longest, static_cast<double>(costs[task]));
  return longest;
}

bool Scheduler::Impl::has_enough(const WorkerState& of, double share) const {
  const auto quick_slots =
      static_cast<double>(std::max(of.slots, std::max<std::size_t>(of.slow, 1)) - of.slow);
  const auto each = of.pinned.empty() ? std::min(of.lead, of.part(share)) : of.lead;
  return of.queued_work > refill_below * each * quick_slots;
}

// Makes of.pinned.front() the next task, if there is one and the worker should have it now. `idle`:
// it has a slot for it; otherwise the task would wait there.
bool Scheduler::Impl::take_next(Worker worker, WorkerState& of, double share, bool idle) {
  const auto slots = std::max<std::size_t>(of.slots, 1);
  const auto quick_slots = static_cast<double>(slots - std::min(slots, of.slow));
  const auto fits = [&](Task task) {
    const auto cost = table.expected(task);
    return idle || (cost <= of.lead && of.queued_work + cost <= of.lead * quick_slots);
  };
  if (!of.pinned.empty()) return fits(of.pinned.front());
  const auto head = pool->head(worker, share);
  if (!head || !fits(head->task)) return false;
  if (!idle && of.queued_work + head->work > of.part(share) * quick_slots) return false;
  pool->take_head(of.pinned);
  pin_all(of);
  return true;
}

// Where tests are long, nothing is queued, and nothing shows whether the worker could run more of
// them. So when all of its slots are busy it gets a short one to see, or a few very short ones:
// less and less often, as long as they have to wait.
void Scheduler::Impl::probe(Worker worker, WorkerState& of, std::vector<Task>& order) {
  const bool fresh = of.slots == 0;
  if (of.given() < std::max<std::size_t>(of.slots, 1) || of.pause > 0) return;
  if (fresh ? of.given() != order.size() : of.queued > 0) return;
  if (fresh && order.size() != 1) return;
  const auto part = share();
  double work = 0;
  for (std::size_t sent = 0; sent < (fresh ? first_probes : of.slots); ++sent) {
    if (order.size() >= options.most_in_batch) return;
    const bool own = !of.pinned.empty();
    const auto task = own ? of.pinned.front() : pool->spare(worker, part);
    if (!task) return;
    work += table.expected(*task);
    const auto limit = sent == 0 ? (own ? all_work : part * most_for_probe)
                                 : std::min(of.lead, own ? all_work : of.part(part));
    if (work > limit) return;
    if (!own) {
      pool->take_spare(of.pinned);
      pin_all(of);
    }
    give(worker, of, *task, order);
  }
}

void Scheduler::Impl::pin_all(const WorkerState& of) {
  for (const auto task : of.pinned) table.set_state(task, TaskState::pinned);
}

// of.pinned.front() becomes part of an order.
void Scheduler::Impl::give(Worker worker, WorkerState& of, Task task, std::vector<Task>& order) {
  of.pinned.pop_front();
  costs[task] = static_cast<float>(table.expected(task));
  table.give(task, worker, of.tasks);
  ++of.queued;
  if (costs[task] > of.lead)
    ++of.slow;
  else
    of.queued_work += costs[task];
  order.push_back(task);
}

}  // namespace hearth::client
