// Deadlines, as poll() takes them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace hearth::process {

// Rounded up; 0 when it is over, and an hour at most.
[[nodiscard]] inline int milliseconds_until(std::chrono::steady_clock::time_point time) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(time - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

}  // namespace hearth::process
