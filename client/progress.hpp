// The live part of the screen: what a run looks like at one moment, as lines. Pure.
#pragma once

#include <string>
#include <vector>

#include "client/run_model.hpp"

namespace hearth::client {

struct Snapshot {
  Counts counts;
  std::vector<RunningTest> running;  // oldest first
  std::chrono::nanoseconds elapsed{};
  SteadyTime now;
  std::string
      activity;  // shown instead of counts while there is nothing to count ("listing the tests")
};

// At most `rows` lines of at most `columns` columns each: a line of counts, then what runs, oldest
// first. Never empty where rows > 0.
[[nodiscard]] std::vector<std::string> render_progress(const Snapshot& snapshot,
                                                       std::size_t columns, std::size_t rows);

// "12 passed, 1 failed, 2 skipped": the counts that are not 0; passed always.
[[nodiscard]] std::string counts_text(const Counts& counts);

}  // namespace hearth::client
