// How well a run used the time: what its tests took, how many ran at once, and what limited it.
//
// Flow: add() every result when it arrives, figures() at the end. No clock of its own. Times of
// tests are those of their servers' clocks, which need not agree: each server's are moved to this
// machine's by the least that any of its results took to arrive.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

struct EfficiencyFigures {
  nanoseconds wall{};          // of the whole run
  nanoseconds before_first{};  // until the first test started
  nanoseconds after_last{};    // since the last test ended
  nanoseconds busy{};          // the tests' own time, added up
  nanoseconds idle{};          // slots times wall, less busy
  nanoseconds tail{};          // at the end, with fewer tests at once than at most
  std::optional<nanoseconds> cpu;
  std::size_t tests = 0;  // executions whose times are known
  std::size_t slots = 0;  // tests at once, at most
  std::string longest_id;
  nanoseconds longest{};
  nanoseconds longest_start{};  // after the start of the run
  std::string last_id;          // ended last
  nanoseconds last{};           // its time
};

class Efficiency {
 public:
  void add(const TestReport& report, SteadyTime arrived);
  // `now`: the moment `outcome.elapsed` has come to. Absent where no test has times.
  [[nodiscard]] std::optional<EfficiencyFigures> figures(const Outcome& outcome,
                                                         SteadyTime now) const;

 private:
  struct Span {
    std::int64_t start;  // nanoseconds, of the worker's clock
    std::int64_t end;
    Worker worker;
  };
  void place(EfficiencyFigures& figures, SteadyTime begin, SteadyTime now) const;

  std::vector<Span> m_spans;
  std::map<Worker, std::int64_t>
      m_offsets;  // what a worker's clock is behind this machine's, at most
  std::string m_longest_id;
  std::size_t m_longest = 0;  // index of its span
  std::string m_last_id;
  std::size_t m_last = 0;
};

// "at most 4 tests at once; busy 31.2 s (87% of 4 x 9.0 s), ..."
[[nodiscard]] std::string efficiency_text(const EfficiencyFigures& figures);

// What limits the wall time, in a sentence without newline. `cpus`: of this machine.
[[nodiscard]] std::string limit_sentence(const EfficiencyFigures& figures, unsigned cpus);

}  // namespace hearth::client
