#include "client/schedule/scheduler.hpp"

#include "client/schedule/scheduler_state.hpp"

namespace hearth::client {
namespace {

constexpr std::uint32_t longest_pause = 1024;
constexpr double round_trips_in_batch = 20;

}  // namespace

Scheduler::Impl::Impl(const std::vector<PlannedTest>& tests, ScheduleOptions with) : options(with) {
  options.most_in_batch = std::max<std::size_t>(options.most_in_batch, 1);
  double sum = 0;
  std::size_t known = 0;
  table.reserve(tests.size());
  costs.resize(tests.size());
  for (const auto& test : tests) {
    const auto task = table.append(test);
    if (!table.known(task)) continue;
    sum += table.expected(task);
    ++known;
  }
  table.estimate.begin(known > 0 ? sum / static_cast<double>(known)
                                 : static_cast<double>(options.batch_work.count()) / 4);
  pool = options.order == ScheduleOptions::Order::as_given ? Pool::as_given(table)
                                                           : Pool::longest_first(table);
}

WorkerState& Scheduler::Impl::state_of(Worker worker) {
  if (worker >= workers.size()) workers.resize(worker + 1);
  return workers[worker];
}

void Scheduler::Impl::line_up(Worker worker) {
  auto& of = workers[worker];
  if (of.in_line || !of.takes_work()) return;
  of.in_line = true;
  line.push_back(worker);
}

void Scheduler::Impl::line_up_all() {
  for (Worker worker = 0; worker < workers.size(); ++worker) line_up(worker);
}

void Scheduler::Impl::count_slots(const WorkerState& of) {
  if (of.slots == 0) return;
  ++workers_seen;
  slots_seen += of.slots;
}

void Scheduler::Impl::forget_slots(const WorkerState& of) {
  if (of.slots == 0) return;
  --workers_seen;
  slots_seen -= of.slots;
}

// It takes no more work, whatever becomes of what it has.
void Scheduler::Impl::leave(WorkerState& of) {
  if (!of.takes_work()) return;
  --present;
  forget_slots(of);
  if (of.reserved) --reserved;
  of.reserved = false;
}

// Gives back what it was sent (`sent`, which is waiting again) and what it was to get.
void Scheduler::Impl::give_back(WorkerState& of, std::vector<Task> sent, Worker worker) {
  for (const auto task : of.pinned) table.set_state(task, TaskState::waiting);
  sent.insert(sent.end(), of.pinned.begin(), of.pinned.end());
  of.pinned.clear();
  pool->put_back(sent, worker);
  line_up_all();
}

// Of all workers, also of those that are still to come; one of which nothing is known is taken to
// be like the others.
double Scheduler::Impl::expected_slots() const {
  const auto expected = options.workers > joined ? options.workers - joined : 0;
  const auto each =
      workers_seen == 0 ? 1.0 : static_cast<double>(slots_seen) / static_cast<double>(workers_seen);
  return static_cast<double>(present + expected) * each;
}

bool Scheduler::Impl::is_at(Task task, Worker worker) const {
  return task < table.size() && table.worker(task) == worker;
}

// The worker has it no longer.
void Scheduler::Impl::remove(WorkerState& of, Task task, TaskState state) {
  const bool slow = costs[task] > of.lead;
  if (slow) --of.slow;
  if (table.state(task) == TaskState::running) {
    --of.running;
  } else {
    --of.queued;
    if (!slow) of.queued_work -= costs[task];
  }
  if (of.queued == 0) of.queued_work = 0;  // no rounding errors are left
  table.take(task, of.tasks, state);
}

Scheduler::Scheduler(std::vector<PlannedTest> tests, ScheduleOptions options)
    : m_impl(std::make_unique<Impl>(tests, options)) {}

Scheduler::~Scheduler() = default;

Task Scheduler::add(PlannedTest test) {
  auto& impl = *m_impl;
  test.group.reset();
  const auto task = impl.table.append(test);
  impl.costs.push_back(0);
  impl.pool->append(task);
  if (impl.options.all_at_once) impl.line_up_all();
  while (!impl.hungry.empty()) {
    const auto worker = impl.hungry.back();
    impl.hungry.pop_back();
    impl.workers[worker].hungry = false;
    const auto& of = impl.workers[worker];
    if (!of.takes_work() || of.alone || of.given() >= std::max<std::size_t>(of.slots, 1)) continue;
    impl.line_up(worker);
    break;
  }
  return task;
}

void Scheduler::worker_joined(Worker worker, nanoseconds round_trip) {
  auto& impl = *m_impl;
  auto& of = impl.state_of(worker);
  if (of.present) return;
  of.present = true;
  of.retired = false;
  set_round_trip(worker, round_trip);
  of.pause = 0;
  of.next_pause = 1;
  ++impl.present;
  ++impl.joined;
  impl.count_slots(of);
  impl.line_up(worker);
}

void Scheduler::set_round_trip(Worker worker, nanoseconds round_trip) {
  auto& of = m_impl->state_of(worker);
  of.round_trip = static_cast<double>(round_trip.count());
  of.lead = std::max(static_cast<double>(m_impl->options.batch_work.count()),
                     of.round_trip * round_trips_in_batch);
}

void Scheduler::started(Worker worker, Task task) {
  auto& impl = *m_impl;
  if (!impl.is_at(task, worker) || impl.table.state(task) != TaskState::queued) return;
  auto& of = impl.workers[worker];
  impl.table.set_state(task, TaskState::running);
  --of.queued;
  ++of.running;
  if (impl.costs[task] <= of.lead) of.queued_work -= impl.costs[task];
  if (of.queued == 0) of.queued_work = 0;
  if (of.running > of.slots && !of.retired) {
    impl.forget_slots(of);
    of.slots = of.running;
    impl.count_slots(of);
    of.pause = 0;
    of.next_pause = 1;
  }
  impl.line_up(worker);
}

void Scheduler::finished(Worker worker, Task task, std::optional<nanoseconds> took) {
  auto& impl = *m_impl;
  if (!impl.is_at(task, worker)) return;
  auto& of = impl.workers[worker];
  if (of.queued > 0 && of.running == of.slots) {
    // Others had to wait for this one: there are no more slots.
    of.pause = of.next_pause;
    of.next_pause = std::min(of.next_pause * 2, longest_pause);
  } else if (of.pause > 0) {
    --of.pause;
  }
  if (took) impl.table.learn(task, *took);
  impl.remove(of, task, TaskState::over);
  of.alone = false;
  impl.line_up(worker);
}

std::vector<Task> Scheduler::worker_lost(Worker worker) {
  auto& impl = *m_impl;
  std::vector<Task> over;
  auto& of = impl.state_of(worker);
  if (!of.present) return over;
  std::vector<Task> others;
  // Where none had started, the first may have been about to.
  bool suspect_first = of.running == 0;
  for (auto task = of.tasks.first; task != TaskTable::none;) {
    const auto next = impl.table.after(task);
    const bool suspect =
        impl.table.state(task) == TaskState::running || std::exchange(suspect_first, false);
    const bool twice = suspect && impl.table.has_lost_a_worker(task);
    impl.remove(of, task, twice ? TaskState::over : TaskState::waiting);
    if (twice) {
      over.push_back(task);
    } else if (suspect) {
      impl.table.set_lost_a_worker(task);
      impl.table.leave_group(task);
      impl.suspects.push({impl.table.expected(task), task});
    } else {
      others.push_back(task);
    }
    task = next;
  }
  impl.leave(of);
  of.present = of.alone = false;
  impl.give_back(of, std::move(others), worker);
  return over;
}

void Scheduler::worker_retires(Worker worker) {
  auto& impl = *m_impl;
  auto& of = impl.state_of(worker);
  if (!of.takes_work()) return;
  impl.leave(of);
  of.retired = true;
  impl.give_back(of, {}, worker);
}

std::optional<Scheduler::Order> Scheduler::next() {
  auto& impl = *m_impl;
  while (!impl.stopped && !impl.line.empty()) {
    const auto worker = impl.line.front();
    auto tasks = impl.fill(worker);
    if (!tasks.empty()) return Order{worker, std::move(tasks)};
    impl.workers[worker].in_line = false;
    impl.line.pop_front();
  }
  return std::nullopt;
}

void Scheduler::stop() {
  m_impl->stopped = true;
}

std::size_t Scheduler::unfinished() const {
  return m_impl->table.size() - m_impl->table.count(TaskState::over);
}

std::size_t Scheduler::unassigned() const {
  return m_impl->table.count(TaskState::waiting);
}

std::size_t Scheduler::slots() const {
  return m_impl->slots_seen;
}

std::optional<nanoseconds> Scheduler::remaining() const {
  const auto& impl = *m_impl;
  const auto& table = impl.table;
  double work = table.corrected_work(TaskState::running) / 2;  // begun some time ago
  auto unknown = table.unknown(TaskState::running);
  for (const auto state : {TaskState::waiting, TaskState::pinned, TaskState::queued}) {
    work += table.corrected_work(state);
    unknown += table.unknown(state);
  }
  const bool guessed = unknown * 2 > unfinished() && table.estimate.seen() < 10;
  if (impl.present == 0 || guessed) return std::nullopt;
  return nanoseconds(static_cast<std::int64_t>(std::min(work / impl.expected_slots(), 1e18)));
}

}  // namespace hearth::client
