// Time as a run counts it: the time in which it was suspended (Ctrl-Z) is not in it.
#pragma once

#include "client/run/events.hpp"

namespace hearth::client {

class RunClock {
 public:
  [[nodiscard]] SteadyTime now() const { return std::chrono::steady_clock::now() - m_suspended; }
  void add_suspended(nanoseconds duration) { m_suspended += duration; }

 private:
  std::chrono::steady_clock::duration m_suspended{};
};

}  // namespace hearth::client
