// The ledger of one List or Run: what was asked for, and what is still owed before its Done. Pure.
//
// An id is pending until the programs that could have it are listed. Tests come first, then checks
// (server/catalog.hpp), among them the exits of the programs whose tests ran. A Run is over when no
// program is awaited, no id is pending, none is queued or running, nothing is left to be answered
// at once, and no suite's tear-down goes on for it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/test_id.hpp"

namespace hearth::protocol {
class ServerSession;
}

namespace hearth::server {

class Program;

struct QueuedTest {
  Program* program;
  std::uint32_t test;
  std::optional<std::uint32_t> next;  // in sequence: the test of the program that is to follow
  bool asked_for = true;              // else it is reported only if it fails
};

// What is answered without running anything, as soon as the client has room for it: a line of a
// List, an unknown id, or `<program>.load`.
struct Answer {
  const Program* program;  // nullptr: no program has the id
  std::uint32_t test;      // index in its catalog; no_index: it cannot be served
  std::string id;          // where it is not the catalog's

  static constexpr std::uint32_t no_index = ~std::uint32_t{0};
};

class Run {
 public:
  enum class Kind { list, run };
  // `in_sequence`: a program's tests run one at a time, in the order in which they are queued.
  // `exits`: when its tests are over, the programs that ran them go through their end.
  Run(Kind kind, protocol::ServerSession& session, std::uint64_t ordinal,
      std::optional<std::vector<std::string>> tests, bool in_sequence = false, bool exits = false)
      : m_kind(kind),
        m_session(&session),
        m_ordinal(ordinal),
        m_all(!tests),
        m_in_sequence(in_sequence),
        m_exits(exits),
        m_pending(std::move(tests).value_or(std::vector<std::string>())) {}

  [[nodiscard]] bool is_list() const { return m_kind == Kind::list; }
  [[nodiscard]] bool wants_all() const { return m_all; }
  [[nodiscard]] protocol::ServerSession& session() const { return *m_session; }
  [[nodiscard]] std::uint64_t ordinal() const { return m_ordinal; }
  // In the order in which the server accepted Lists and Runs, over all sessions.
  [[nodiscard]] std::uint64_t number() const { return m_number; }
  void set_number(std::uint64_t number) { m_number = number; }

  // Programs, by their places, that are to be listed before the Run's ids among theirs are known.
  void await(std::size_t place) { m_awaited.push_back(place); }
  [[nodiscard]] bool awaits(std::size_t place) const {
    return std::find(m_awaited.begin(), m_awaited.end(), place) != m_awaited.end();
  }
  [[nodiscard]] bool awaits_any() const { return !m_awaited.empty(); }
  [[nodiscard]] bool is_unresolved() const { return !m_awaited.empty() || !m_pending.empty(); }
  void arrived(std::size_t place, const Program& program) {
    std::erase(m_awaited, place);
    m_programs.push_back(&program);
  }
  // The program has arrived here: until the Run is over, what it has of the program is needed.
  [[nodiscard]] bool uses(const Program& program) const {
    return std::find(m_programs.begin(), m_programs.end(), &program) != m_programs.end();
  }
  // A program of that name may have tests of the Run.
  [[nodiscard]] bool concerns(std::string_view name) const {
    return m_all || std::any_of(m_pending.begin(), m_pending.end(),
                                [&](const std::string& id) { return may_be_of(name, id); });
  }

  // Ids that no program has claimed yet.
  [[nodiscard]] std::vector<std::string>& pending() { return m_pending; }

  void answer(Answer answer) { m_answers.push_back(std::move(answer)); }
  [[nodiscard]] std::optional<Answer> take_answer() {
    if (m_answers.empty()) return std::nullopt;
    Answer answer = std::move(m_answers.front());
    m_answers.pop_front();
    return answer;
  }

  void queue(QueuedTest test) {
    lane_of(test.program).queue.push_back(test);
    if (std::find(m_tested.begin(), m_tested.end(), test.program) == m_tested.end())
      m_tested.push_back(test.program);
  }
  // The first queued test that `may_run` lets through, taken out; the order of the others stays.
  // Not looked for behind very many that may not: these are repetitions of one id.
  template <typename MayRun>
  [[nodiscard]] std::optional<QueuedTest> take(const MayRun& may_run) {
    for (Lane& lane : m_lanes) {
      if (auto taken = take_from(lane, may_run)) {
        ++lane.running;
        return taken;
      }
    }
    return std::nullopt;
  }
  // ---- checks, after the tests

  [[nodiscard]] bool exits() const { return m_exits; }
  void queue_check(QueuedTest check) { m_checks.push_back(check); }
  [[nodiscard]] bool has_check(const Program& program, std::uint32_t check) const {
    return std::any_of(m_checks.begin(), m_checks.end(), [&](const QueuedTest& queued) {
      return queued.program == &program && queued.test == check;
    });
  }
  // Programs that a test of the Run was queued for.
  [[nodiscard]] const std::vector<Program*>& tested() const { return m_tested; }
  [[nodiscard]] bool tests_are_over() const {
    return m_awaited.empty() && m_pending.empty() &&
           std::all_of(m_lanes.begin(), m_lanes.end(),
                       [](const Lane& lane) { return lane.queue.empty() && lane.running == 0; });
  }
  // Once, when its tests are over: true the first time.
  [[nodiscard]] bool come_to_exits() { return !std::exchange(m_came_to_exits, true); }
  [[nodiscard]] std::optional<QueuedTest> take_check() {
    if (m_checks.empty() || !tests_are_over()) return std::nullopt;
    const QueuedTest check = m_checks.front();
    m_checks.pop_front();
    ++m_checks_running;
    return check;
  }
  void check_over() { --m_checks_running; }

  // Nothing more is owed but for what runs. What was queued is given back.
  [[nodiscard]] std::vector<QueuedTest> cancel() {
    m_cancelled = true;
    m_awaited.clear();
    m_pending.clear();
    m_answers.clear();
    std::vector<QueuedTest> queued;
    for (Lane& lane : m_lanes) {
      queued.insert(queued.end(), lane.queue.begin(), lane.queue.end());
      lane.queue.clear();
    }
    queued.insert(queued.end(), m_checks.begin(), m_checks.end());
    m_checks.clear();
    m_exits = false;
    return queued;
  }
  [[nodiscard]] bool is_cancelled() const { return m_cancelled; }

  // Tests that are queued or running, and answers that are still to be given.
  [[nodiscard]] std::size_t left() const {
    std::size_t sum = m_pending.size() + m_answers.size();
    for (const Lane& lane : m_lanes) sum += lane.queue.size() + lane.running;
    return sum + m_checks.size() + m_checks_running;
  }

  void one_over(const Program* program) { --lane_of(program).running; }
  void hold(bool begins) { m_holds += begins ? 1 : -1; }

  [[nodiscard]] bool is_over() const {
    return tests_are_over() && m_answers.empty() && m_holds == 0 && m_checks.empty() &&
           m_checks_running == 0 && (!m_exits || m_came_to_exits);
  }

 private:
  static constexpr std::ptrdiff_t most_looked_at = 10'000;

  // In sequence: a program's tests. Otherwise the only one, with all tests.
  struct Lane {
    const Program* program;
    std::deque<QueuedTest> queue;
    std::size_t running = 0;
  };

  Lane& lane_of(const Program* program) {
    if (!m_in_sequence) program = nullptr;
    const auto found = std::find_if(m_lanes.begin(), m_lanes.end(),
                                    [&](const Lane& lane) { return lane.program == program; });
    return found != m_lanes.end() ? *found : m_lanes.emplace_back(Lane{program, {}, 0});
  }

  template <typename MayRun>
  [[nodiscard]] std::optional<QueuedTest> take_from(Lane& lane, const MayRun& may_run) {
    if (m_in_sequence && lane.running != 0) return std::nullopt;
    auto& queue = lane.queue;
    const std::ptrdiff_t most = m_in_sequence ? 1 : most_looked_at;
    const auto end = std::ssize(queue) > most ? queue.begin() + most : queue.end();
    const auto at = std::find_if(queue.begin(), end, may_run);
    if (at == end) return std::nullopt;
    QueuedTest taken = *at;
    queue.erase(at);
    if (m_in_sequence && !queue.empty()) taken.next = queue.front().test;
    return taken;
  }

  Kind m_kind;
  protocol::ServerSession* m_session;
  std::uint64_t m_ordinal;
  std::uint64_t m_number = 0;
  bool m_all;
  bool m_in_sequence;
  bool m_exits;
  bool m_came_to_exits = false;
  bool m_cancelled = false;
  std::vector<std::size_t> m_awaited;
  std::vector<const Program*> m_programs;
  std::vector<std::string> m_pending;
  std::deque<Answer> m_answers;
  std::deque<Lane> m_lanes;
  std::vector<Program*> m_tested;
  std::deque<QueuedTest> m_checks;
  std::size_t m_checks_running = 0;
  int m_holds = 0;
};

}  // namespace hearth::server
