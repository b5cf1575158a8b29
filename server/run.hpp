// The ledger of one List or Run: what was asked for, and what is still owed before its Done. Pure.
//
// An id is pending until the programs that could have it are listed. A Run is over when no id is pending, none is
// queued or running, nothing is left to be answered at once, and no suite's tear-down goes on for it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace hearth::protocol {
class ServerSession;
}

namespace hearth::server {

class Program;

struct QueuedTest {
  Program* program;
  std::uint32_t test;
};

// What is answered without running anything, as soon as the client has room for it: a line of a List, an
// unknown id, or `<program>.load`.
struct Answer {
  const Program* program;  // nullptr: no program has the id
  std::uint32_t test;      // index in its catalog; no_index: it cannot be served
  std::string id;          // where it is not the catalog's

  static constexpr std::uint32_t no_index = ~std::uint32_t{0};
};

class Run {
 public:
  enum class Kind { list, run };
  Run(Kind kind, protocol::ServerSession& session, std::uint64_t ordinal,
      std::optional<std::vector<std::string>> tests)
      : m_kind(kind), m_session(&session), m_ordinal(ordinal), m_all(!tests), m_pending(std::move(tests).value_or(std::vector<std::string>())) {}

  [[nodiscard]] bool is_list() const { return m_kind == Kind::list; }
  [[nodiscard]] bool wants_all() const { return m_all; }
  [[nodiscard]] protocol::ServerSession& session() const { return *m_session; }
  [[nodiscard]] std::uint64_t ordinal() const { return m_ordinal; }

  // Ids that no program has claimed yet.
  [[nodiscard]] std::vector<std::string>& pending() { return m_pending; }

  void answer(Answer answer) { m_answers.push_back(std::move(answer)); }
  [[nodiscard]] std::optional<Answer> take_answer() {
    if (m_answers.empty()) return std::nullopt;
    Answer answer = std::move(m_answers.front());
    m_answers.pop_front();
    return answer;
  }

  void queue(QueuedTest test) { m_queue.push_back(test); }
  // The first queued test that `may_run` lets through, taken out; the order of the others stays. Not looked for
  // behind very many that may not: these are repetitions of one id.
  template <typename MayRun>
  [[nodiscard]] std::optional<QueuedTest> take(const MayRun& may_run) {
    const auto end = std::ssize(m_queue) > most_looked_at ? m_queue.begin() + most_looked_at : m_queue.end();
    for (auto at = m_queue.begin(); at != end; ++at) {
      if (!may_run(*at)) continue;
      const QueuedTest taken = *at;
      m_queue.erase(at);
      ++m_running;
      return taken;
    }
    return std::nullopt;
  }
  void one_over() { --m_running; }
  void hold(bool begins) { m_holds += begins ? 1 : -1; }

  [[nodiscard]] bool is_over() const {
    return m_pending.empty() && m_answers.empty() && m_queue.empty() && m_running == 0 && m_holds == 0;
  }

 private:
  static constexpr std::ptrdiff_t most_looked_at = 10'000;

  Kind m_kind;
  protocol::ServerSession* m_session;
  std::uint64_t m_ordinal;
  bool m_all;
  std::vector<std::string> m_pending;
  std::deque<Answer> m_answers;
  std::deque<QueuedTest> m_queue;
  std::size_t m_running = 0;
  int m_holds = 0;
};

}  // namespace hearth::server
