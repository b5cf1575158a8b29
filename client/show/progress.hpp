// The live part of the screen: what a run looks like at one moment, as lines. Pure.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "client/run/events.hpp"
#include "client/show/color.hpp"

namespace hearth::client {

struct ProgressLook {
  std::size_t columns = 80;
  std::size_t rows = 24;       // that may be used, not those of the screen
  std::optional<double> rate;  // tests a second
  Paint paint;
};

// At most `rows` lines of at most `columns` columns each: a line of counts, then what runs, oldest
// first. Never empty where rows > 0. Times are in whole seconds, so that the lines stay the same
// for as long.
[[nodiscard]] std::vector<std::string> render_progress(const Snapshot& snapshot,
                                                       const ProgressLook& look);

// "12 passed, 1 failed, 2 skipped": the counts that are not 0; passed always.
[[nodiscard]] std::string counts_text(const Counts& counts);

// Tests a second, over the last few seconds.
class RateMeter {
 public:
  void add(SteadyTime now, std::size_t done);
  // Absent until there is a second to tell it from.
  [[nodiscard]] std::optional<double> rate() const;

 private:
  struct Sample {
    SteadyTime at;
    std::size_t done;
  };
  std::deque<Sample> m_samples;
};

}  // namespace hearth::client
