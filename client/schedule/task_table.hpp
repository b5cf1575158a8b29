// Where every task of a schedule stands, what is expected of it, and how much work that adds up to.
//
// Some 25 bytes a task: a schedule may hold millions. A task that a worker has (`queued` or
// `running`) is also in that worker's list, in the order in which it was given.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "client/schedule/scheduler.hpp"

namespace hearth::client {

enum class TaskState : std::uint8_t {
  waiting,  // nobody has it
  pinned,   // chosen for a worker (the rest of a group), and not sent yet
  queued,   // sent, not started
  running,
  over,
};

// How long unknown tests take, from those that have ended; and how far the known durations are off.
// In nanoseconds.
class Estimate {
 public:
  // What is believed of an unknown test before any has ended.
  void begin(double prior) { m_unknown_sum = prior; }
  void learn(std::optional<double> expected, double took) {
    ++m_seen;
    if (expected) {
      m_expected_sum += *expected;
      m_took_sum += took;
    } else {
      ++m_unknown_seen;
      m_unknown_sum += took;
    }
  }
  [[nodiscard]] double unknown() const {
    return m_unknown_sum / static_cast<double>(m_unknown_seen + 1);
  }
  // What tests take, over what was expected of them; the first few say little.
  [[nodiscard]] double ratio() const { return (m_took_sum + steady) / (m_expected_sum + steady); }
  [[nodiscard]] std::size_t seen() const { return m_seen; }

 private:
  static constexpr double steady = 1e8;
  std::size_t m_seen = 0;
  std::size_t m_unknown_seen = 0;
  double m_unknown_sum = 0;
  double m_expected_sum = 0;
  double m_took_sum = 0;
};

class TaskTable {
 public:
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  // A worker's tasks.
  struct List {
    Task first = none;
    Task last = none;
  };

  [[nodiscard]] std::size_t size() const { return m_state.size(); }
  Task append(const PlannedTest& test) {
    const auto task = static_cast<Task>(size());
    const bool known = test.expected && test.expected->count() >= 0;
    m_expected.push_back(known ? test.expected->count() : -1);
    m_group.push_back(test.group.value_or(none));
    m_worker.push_back(none);
    m_links.push_back({});
    m_state.push_back(TaskState::waiting);
    m_lost.push_back(false);
    account(task, 1);
    return task;
  }
  void reserve(std::size_t count) {
    m_expected.reserve(count);
    m_group.reserve(count);
    m_worker.reserve(count);
    m_links.reserve(count);
    m_state.reserve(count);
    m_lost.reserve(count);
  }

  [[nodiscard]] bool known(Task task) const { return m_expected[task] >= 0; }
  [[nodiscard]] std::uint32_t group(Task task) const { return m_group[task]; }
  [[nodiscard]] TaskState state(Task task) const { return m_state[task]; }
  [[nodiscard]] Worker worker(Task task) const { return m_worker[task]; }
  [[nodiscard]] bool has_lost_a_worker(Task task) const { return m_lost[task]; }
  [[nodiscard]] Task after(Task task) const { return m_links[task].next; }
  // In nanoseconds: what is known, or estimated.
  [[nodiscard]] double expected(Task task) const {
    return known(task) ? static_cast<double>(m_expected[task]) : estimate.unknown();
  }
  // What a test that ends now has taught.
  void learn(Task task, nanoseconds took) {
    const auto value = static_cast<double>(std::max(took, nanoseconds{}).count());
    estimate.learn(known(task) ? std::optional(expected(task)) : std::nullopt, value);
  }

  void set_state(Task task, TaskState state) {
    account(task, -1);
    m_state[task] = state;
    account(task, 1);
  }
  void set_lost_a_worker(Task task) { m_lost[task] = true; }
  void leave_group(Task task) { m_group[task] = none; }

  // To and from a worker.
  void give(Task task, Worker worker, List& list) {
    set_state(task, TaskState::queued);
    m_worker[task] = worker;
    m_links[task] = {list.last, none};
    (list.last == none ? list.first : m_links[list.last].next) = task;
    list.last = task;
  }
  void take(Task task, List& list, TaskState state) {
    const auto [previous, next] = m_links[task];
    (previous == none ? list.first : m_links[previous].next) = next;
    (next == none ? list.last : m_links[next].previous) = previous;
    m_worker[task] = none;
    set_state(task, state);
  }

  [[nodiscard]] std::size_t count(TaskState state) const { return sum(state).tasks; }
  // As expected, in nanoseconds.
  [[nodiscard]] double work(TaskState state) const {
    return known_work(state) + unknown_work(state);
  }
  // The same, corrected by what was seen of the known ones.
  [[nodiscard]] double corrected_work(TaskState state) const {
    return known_work(state) * estimate.ratio() + unknown_work(state);
  }
  [[nodiscard]] std::size_t unknown(TaskState state) const { return sum(state).unknown; }

  Estimate estimate;

 private:
  struct Links {
    Task previous = none;
    Task next = none;
  };
  struct Sum {
    std::size_t tasks = 0;
    std::size_t unknown = 0;
    double known = 0;
  };

  [[nodiscard]] const Sum& sum(TaskState state) const {
    return m_sums[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] double known_work(TaskState state) const { return std::max(0.0, sum(state).known); }
  [[nodiscard]] double unknown_work(TaskState state) const {
    return static_cast<double>(sum(state).unknown) * estimate.unknown();
  }
  void account(Task task, int sign) {
    auto& of = m_sums[static_cast<std::size_t>(m_state[task])];
    of.tasks += static_cast<std::size_t>(sign);
    if (known(task))
      of.known += sign * static_cast<double>(m_expected[task]);
    else
      of.unknown += static_cast<std::size_t>(sign);
  }

  std::vector<std::int64_t> m_expected;  // nanoseconds; -1: not known
  std::vector<std::uint32_t> m_group;
  std::vector<Worker> m_worker;
  std::vector<Links> m_links;
  std::vector<TaskState> m_state;
  std::vector<bool> m_lost;
  std::array<Sum, 5> m_sums{};
};

}  // namespace hearth::client
