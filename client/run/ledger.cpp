#include "client/run/ledger.hpp"

#include <algorithm>

namespace hearth::client {

using protocol::TestStatus;

Ledger::Ledger(const std::vector<std::string>& ids, unsigned retries)
    : m_ids(ids), m_retries(retries) {
  begin_round();
}

void Ledger::begin_round() {
  m_tasks.clear();
  m_tasks.reserve(m_ids.size());
  for (std::uint32_t test = 0; test < m_ids.size(); ++test) m_tasks.push_back({test});
  m_counts.expected += m_ids.size();
}

void Ledger::add_attempt(Task task, Task failed) {
  const auto& before = m_tasks[failed];
  const Execution next{before.test, static_cast<std::uint16_t>(before.attempt + 1), false};
  m_tasks.resize(std::max<std::size_t>(m_tasks.size(), task + 1), Execution{before.test, 1, true});
  m_tasks[task] = next;
}

void Ledger::give(Worker worker, const std::string& nonce, std::span<const Task> tasks) {
  auto& books = m_workers[worker];
  const auto run = ++books.last_run;
  for (const auto task : tasks) books.outstanding.emplace(id_of(task), Outstanding{task, run});
  books.runs[nonce] = {run, {tasks.begin(), tasks.end()}, {}};
}

// The Run that a route code belongs to; 0: none that is still going; nullopt: it does not say.
std::optional<Ledger::RunNumber> Ledger::run_of(WorkerBooks& books, std::string_view id,
                                                std::string_view route) {
  if (route.empty()) return std::nullopt;
  if (const auto known = books.routes.find(route); known != books.routes.end())
    return known->second;
  const auto [first, last] = books.outstanding.equal_range(id);
  std::optional<RunNumber> oldest;
  for (auto entry = first; entry != last; ++entry) {
    const auto run = entry->second.run;
    if (!books.routed.contains(run) && (!oldest || run < *oldest)) oldest = run;
  }
  if (!oldest) return std::nullopt;
  books.routes.emplace(route, *oldest);
  books.routed.insert(*oldest);
  for (auto& [nonce, run] : books.runs)
    if (run.number == *oldest) run.route = route;
  return oldest;
}

// Of several tasks of one id, one that is `started`, or else the first.
Ledger::Outstanding* Ledger::find(Worker worker, std::string_view id, std::string_view route,
                                  bool started) {
  const auto books = m_workers.find(worker);
  if (books == m_workers.end()) return nullptr;
  const auto run = run_of(books->second, id, route);
  const auto [first, last] = books->second.outstanding.equal_range(id);
  Outstanding* found = nullptr;
  for (auto entry = first; entry != last; ++entry) {
    if (run && entry->second.run != *run) continue;
    if (entry->second.started == started) return &entry->second;
    if (found == nullptr) found = &entry->second;
  }
  return found;
}

std::optional<Task> Ledger::started(Worker worker, std::string_view id, std::string_view route) {
  auto* const entry = find(worker, id, route, false);
  if (entry == nullptr || entry->started) return std::nullopt;
  entry->started = true;
  return entry->task;
}

std::optional<Task> Ledger::running(Worker worker, std::string_view id) const {
  const auto* const entry = const_cast<Ledger*>(this)->find(worker, id, {}, true);
  if (entry == nullptr) return std::nullopt;
  return entry->task;
}

bool Ledger::awaits(Worker worker, std::string_view id) const {
  const auto books = m_workers.find(worker);
  return books != m_workers.end() && books->second.outstanding.count(id) != 0;
}

std::optional<Task> Ledger::ended(Worker worker, std::string_view id, std::string_view route) {
  const auto* const entry = find(worker, id, route, true);
  if (entry == nullptr) return std::nullopt;
  const auto task = entry->task;
  auto& outstanding = m_workers[worker].outstanding;
  const auto [first, last] = outstanding.equal_range(id);
  outstanding.erase(
      std::find_if(first, last, [&](const auto& each) { return each.second.task == task; }));
  return task;
}

std::vector<Task> Ledger::done(Worker worker, const std::string& nonce) {
  auto& books = m_workers[worker];
  const auto run = books.runs.find(nonce);
  if (run == books.runs.end()) return {};
  std::vector<Task> left_out;
  if (!run->second.route.empty()) books.routes[run->second.route] = 0;
  books.routed.erase(run->second.number);
  for (const auto task : run->second.tasks) {
    const auto [first, last] = books.outstanding.equal_range(id_of(task));
    const auto entry =
        std::find_if(first, last, [&](const auto& each) { return each.second.task == task; });
    if (entry == last) continue;
    left_out.push_back(task);
    books.outstanding.erase(entry);
  }
  books.runs.erase(run);
  return left_out;
}

void Ledger::lost(Worker worker) {
  m_workers.erase(worker);
}

std::size_t Ledger::outstanding(Worker worker) const {
  const auto books = m_workers.find(worker);
  return books == m_workers.end() ? 0 : books->second.outstanding.size();
}

std::string Ledger::route_of(Worker worker, const std::string& nonce) const {
  const auto books = m_workers.find(worker);
  if (books == m_workers.end()) return {};
  const auto run = books->second.runs.find(nonce);
  return run == books->second.runs.end() ? "" : run->second.route;
}

std::size_t Ledger::runs(Worker worker) const {
  const auto books = m_workers.find(worker);
  return books == m_workers.end() ? 0 : books->second.runs.size();
}

bool Ledger::book(Task task, TestStatus status) {
  auto& execution = m_tasks[task];
  execution.booked = true;
  if (is_failure(status) && execution.attempt <= m_retries) return true;
  ++m_counts.done;
  count(status, execution.attempt > 1);
  return false;
}

void Ledger::book_lost(Task task) {
  m_tasks[task].booked = true;
  ++m_counts.done;
  ++m_counts.lost;
}

std::vector<Task> Ledger::open() const {
  std::vector<Task> tasks;
  for (Task task = 0; task < m_tasks.size(); ++task)
    if (!m_tasks[task].booked) tasks.push_back(task);
  return tasks;
}

void Ledger::count(TestStatus status, bool retried) {
  if (is_failure(status))
    ++m_counts.failed;
  else if (retried)
    ++m_counts.flaky;
  else if (status == TestStatus::skip)
    ++m_counts.skipped;
  else if (status == TestStatus::xfail)
    ++m_counts.xfailed;
  else
    ++m_counts.passed;
}

}  // namespace hearth::client
