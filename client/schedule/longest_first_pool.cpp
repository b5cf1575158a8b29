// Longest first, with three refinements.
//
// Tests of unknown duration may be long: they come early, but not before a known test whose length
// already decides when the run ends. Whether it does is seen from the share: what is waiting,
// divided by the slots that it waits for; a test of half that length must not wait.
//
// What comes back from a lost worker is in a heap of its own, since the planned units are sorted
// once and only ever taken from both ends.
#include <algorithm>
#include <queue>
#include <unordered_map>

#include "client/schedule/pool.hpp"

namespace hearth::client {
namespace {

constexpr double must_not_wait = 0.5;  // of the share

struct Unit {
  std::uint32_t begin;  // in m_sequence
  std::uint32_t tasks;
  double work;
};

struct Returned {
  double work;
  std::vector<Task> tasks;
  bool operator<(const Returned& other) const { return work < other.work; }
};

class LongestFirstPool final : public Pool {
 public:
  explicit LongestFirstPool(const TaskTable& table) : m_table(table) { build(); }

  std::optional<Head> head(Worker worker, double share) override;
  void take_head(std::deque<Task>& tasks) override;
  std::optional<Task> spare(Worker worker, double share) override;
  void take_spare(std::deque<Task>& tasks) override;
  void append(Task task) override { m_appended.push_back(task); }
  void put_back(const std::vector<Task>& tasks, Worker worker) override;

 private:
  enum class Source : std::uint8_t { none, known, unknown, returned, appended };

  void build();
  void add_unit(const std::vector<Task>& tasks);
  void return_unit(std::vector<Task> tasks);

  [[nodiscard]] bool has_known() const { return m_first_known < m_known.size(); }
  [[nodiscard]] bool has_unknown() const { return m_first_unknown < m_unknown.size(); }
  [[nodiscard]] Source source(double share) const;
  [[nodiscard]] Head head_of(const Unit& unit) const;

  const TaskTable& m_table;
  std::vector<Task> m_sequence;
  std::vector<Unit> m_known;    // sorted: longest first
  std::vector<Unit> m_unknown;  // in which one test at least is unknown; sorted, too
  std::size_t m_first_known = 0;
  std::size_t m_first_unknown = 0;
  std::priority_queue<Returned> m_returned;
  std::deque<Task> m_appended;
  Source m_head = Source::none;
  Source m_spare = Source::none;
};

void LongestFirstPool::build() {
  const auto count = static_cast<Task>(m_table.size());
  m_sequence.reserve(count);
  std::unordered_map<std::uint32_t, std::vector<Task>> groups;
  for (Task task = 0; task < count; ++task)
    if (m_table.group(task) != TaskTable::none) groups[m_table.group(task)].push_back(task);
  std::vector<Task> single(1);
  for (Task task = 0; task < count; ++task) {
    const auto group = m_table.group(task);
    single.front() = task;
    if (group == TaskTable::none) {
      add_unit(single);
    } else if (auto& members = groups[group]; members.front() == task) {
      std::stable_sort(members.begin(), members.end(),
                       [&](Task a, Task b) { return m_table.expected(a) > m_table.expected(b); });
      const auto taken = std::move(members);
      members.assign(1, TaskTable::none);
      add_unit(taken);
    }
  }
  for (auto* const units : {&m_known, &m_unknown})
    std::stable_sort(units->begin(), units->end(),
                     [](const Unit& a, const Unit& b) { return a.work > b.work; });
}

void LongestFirstPool::add_unit(const std::vector<Task>& tasks) {
  Unit unit{static_cast<std::uint32_t>(m_sequence.size()), static_cast<std::uint32_t>(tasks.size()),
            0};
  std::size_t unknown = 0;
  for (const auto task : tasks) {
    unit.work += m_table.expected(task);
    unknown += m_table.known(task) ? 0 : 1;
    m_sequence.push_back(task);
  }
  (unknown > 0 ? m_unknown : m_known).push_back(unit);
}

LongestFirstPool::Source LongestFirstPool::source(double share) const {
  auto best = Source::none;
  double work = 0;
  if (has_known()) {
    best = Source::known;
    work = m_known[m_first_known].work;
  }
  if (!m_returned.empty() && (best == Source::none || m_returned.top().work > work)) {
    best = Source::returned;
    work = m_returned.top().work;
  }
  if (best != Source::none && work >= must_not_wait * share) return best;
  if (has_unknown()) return Source::unknown;
  if (best == Source::none && !m_appended.empty()) return Source::appended;
  return best;
}

Pool::Head LongestFirstPool::head_of(const Unit& unit) const {
  const auto task = m_sequence[unit.begin];
  return {task, unit.tasks == 1 ? m_table.expected(task) : unit.work};
}

std::optional<Pool::Head> LongestFirstPool::head(Worker, double share) {
  m_head = source(share);
  switch (m_head) {
    case Source::known:
      return head_of(m_known[m_first_known]);
    case Source::unknown:
      return head_of(m_unknown[m_first_unknown]);
    case Source::returned: {
      const auto& top = m_returned.top();
      return Head{top.tasks.front(), top.work};
    }
    case Source::appended:
      return Head{m_appended.front(), m_table.expected(m_appended.front())};
    case Source::none:
      break;
  }
  return std::nullopt;
}

void LongestFirstPool::take_head(std::deque<Task>& tasks) {
  const auto take_unit = [&](const Unit& unit) {
    const auto* const first = &m_sequence[unit.begin];
    tasks.insert(tasks.end(), first, first + unit.tasks);
  };
  switch (std::exchange(m_head, Source::none)) {
    case Source::known:
      return take_unit(m_known[m_first_known++]);
    case Source::unknown:
      return take_unit(m_unknown[m_first_unknown++]);
    case Source::returned:
      tasks.insert(tasks.end(), m_returned.top().tasks.begin(), m_returned.top().tasks.end());
      return m_returned.pop();
    case Source::appended:
      tasks.push_back(m_appended.front());
      return m_appended.pop_front();
    case Source::none:
      break;
  }
}

// The shortest known task; without any, one that is unknown.
std::optional<Task> LongestFirstPool::spare(Worker, double) {
  m_spare = Source::none;
  if (has_known() && m_known.back().tasks == 1)
    m_spare = Source::known;
  else if (!has_known() && has_unknown() && m_unknown.back().tasks == 1)
    m_spare = Source::unknown;
  if (m_spare == Source::none) return std::nullopt;
  return m_sequence[(m_spare == Source::known ? m_known : m_unknown).back().begin];
}

void LongestFirstPool::take_spare(std::deque<Task>& tasks) {
  if (m_spare == Source::none) return;
  auto& units = m_spare == Source::known ? m_known : m_unknown;
  tasks.push_back(m_sequence[units.back().begin]);
  units.pop_back();
  m_spare = Source::none;
}

void LongestFirstPool::put_back(const std::vector<Task>& tasks, Worker) {
  std::unordered_map<std::uint32_t, std::vector<Task>> groups;
  for (const auto task : tasks) {
    const auto group = m_table.group(task);
    if (group == TaskTable::none)
      return_unit({task});
    else
      groups[group].push_back(task);
  }
  for (auto& [group, members] : groups) return_unit(std::move(members));
}

void LongestFirstPool::return_unit(std::vector<Task> tasks) {
  double work = 0;
  for (const auto task : tasks) work += m_table.expected(task);
  m_returned.push({work, std::move(tasks)});
}

}  // namespace

std::unique_ptr<Pool> Pool::longest_first(const TaskTable& table) {
  return std::make_unique<LongestFirstPool>(table);
}

}  // namespace hearth::client
