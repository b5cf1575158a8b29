// The time that counts for limits: it stands still while the server is suspended.
#pragma once

#include <chrono>
#include <optional>

namespace hearth::server {

using SteadyTime = std::chrono::steady_clock::time_point;

// Pure: it is told what time it is.
class WorkClock {
 public:
  void stop(SteadyTime now) {
    if (!m_stopped) m_stopped = now;
  }
  void go_on(SteadyTime now) {
    if (m_stopped) m_lost += now - *m_stopped;
    m_stopped.reset();
  }
  [[nodiscard]] SteadyTime at(SteadyTime now) const { return m_stopped.value_or(now) - m_lost; }

 private:
  std::optional<SteadyTime> m_stopped;
  SteadyTime::duration m_lost{0};
};

// The server's.
inline WorkClock& work_clock() {
  static WorkClock clock;
  return clock;
}
// Now, by the server's clock. To be compared with nothing but its like.
inline SteadyTime work_time() {
  return work_clock().at(std::chrono::steady_clock::now());
}

}  // namespace hearth::server
