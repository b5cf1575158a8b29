// Tasks in the order given: each worker gets a subsequence of it, and a single worker exactly it. A
// group belongs to the worker that got its first task; tasks of others' groups that are met on the
// way are set aside for them.
#include <functional>
#include <queue>
#include <unordered_map>

#include "client/schedule/pool.hpp"

namespace hearth::client {
namespace {

using FirstGiven = std::priority_queue<Task, std::vector<Task>, std::greater<>>;

class GivenOrderPool final : public Pool {
 public:
  explicit GivenOrderPool(const TaskTable& table)
      : m_table(table), m_end(static_cast<Task>(table.size())) {}

  std::optional<Head> head(Worker worker, double share) override;
  void take_head(std::deque<Task>& tasks) override;
  // In any other order, none could be spared.
  std::optional<Task> spare(Worker worker, double share) override;
  void take_spare(std::deque<Task>& tasks) override { take_head(tasks); }
  void append(Task task) override { m_appended.push_back(task); }
  void put_back(const std::vector<Task>& tasks, Worker worker) override;

 private:
  // Next of all that is not set aside; it stays where it is.
  [[nodiscard]] std::optional<Task> next_of_all() const;
  void drop_next_of_all();
  [[nodiscard]] bool is_for(Worker worker, Task task);

  const TaskTable& m_table;
  Task m_next = 0;
  Task m_end;
  FirstGiven m_returned;
  std::unordered_map<std::uint32_t, Worker> m_owners;  // of groups
  std::unordered_map<Worker, FirstGiven> m_aside;
  std::deque<Task> m_appended;
  std::optional<Task> m_head;
  Worker m_head_worker = 0;
};

std::optional<Task> GivenOrderPool::next_of_all() const {
  if (!m_returned.empty() && (m_next == m_end || m_returned.top() < m_next))
    return m_returned.top();
  if (m_next < m_end) return m_next;
  if (!m_appended.empty()) return m_appended.front();
  return std::nullopt;
}

void GivenOrderPool::drop_next_of_all() {
  if (!m_returned.empty() && (m_next == m_end || m_returned.top() < m_next))
    m_returned.pop();
  else if (m_next < m_end)
    ++m_next;
  else
    m_appended.pop_front();
}

bool GivenOrderPool::is_for(Worker worker, Task task) {
  const auto group = m_table.group(task);
  if (group == TaskTable::none) return true;
  const auto owner = m_owners.find(group);
  return owner == m_owners.end() || owner->second == worker;
}

std::optional<Pool::Head> GivenOrderPool::head(Worker worker, double) {
  m_head.reset();
  m_head_worker = worker;
  auto& aside = m_aside[worker];
  auto next = next_of_all();
  // What is set aside for others comes later for them than all that they were given before.
  while (next && (aside.empty() || *next < aside.top()) && !is_for(worker, *next)) {
    m_aside[m_owners[m_table.group(*next)]].push(*next);
    drop_next_of_all();
    next = next_of_all();
  }
  if (!aside.empty() && (!next || aside.top() < *next))
    m_head = aside.top();
  else
    m_head = next;
  if (!m_head) return std::nullopt;
  return Head{*m_head, m_table.expected(*m_head)};
}

void GivenOrderPool::take_head(std::deque<Task>& tasks) {
  if (!m_head) return;
  tasks.push_back(*m_head);
  const auto group = m_table.group(*m_head);
  if (group != TaskTable::none) m_owners[group] = m_head_worker;
  auto& aside = m_aside[m_head_worker];
  if (!aside.empty() && aside.top() == *m_head)
    aside.pop();
  else
    drop_next_of_all();
  m_head.reset();
}

std::optional<Task> GivenOrderPool::spare(Worker worker, double share) {
  const auto next = head(worker, share);
  if (!next) return std::nullopt;
  return next->task;
}

void GivenOrderPool::put_back(const std::vector<Task>& tasks, Worker worker) {
  for (const auto task : tasks) m_returned.push(task);
  auto& aside = m_aside[worker];
  for (; !aside.empty(); aside.pop()) m_returned.push(aside.top());
  std::erase_if(m_owners, [&](const auto& group) { return group.second == worker; });
}

}  // namespace

std::unique_ptr<Pool> Pool::as_given(const TaskTable& table) {
  return std::make_unique<GivenOrderPool>(table);
}

}  // namespace hearth::client
