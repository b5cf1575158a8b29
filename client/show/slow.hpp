// When a test is slow, and saying so once in a while.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

// It takes more than a minute, or far longer than the last time: three times as long and two
// seconds more.
[[nodiscard]] bool is_slow(nanoseconds taken, std::optional<nanoseconds> expected);

// ", 0.012 s the last time", where that is known: how a slow test's line goes on.
[[nodiscard]] std::string last_time_text(std::optional<nanoseconds> expected);

// Names each slow test once, and again each time it has run twice as long.
class SlowWatch {
 public:
  // Lines "SLOW   id  1:00 min so far" for the tests that have become slow since the last call.
  [[nodiscard]] std::vector<std::string> look(const Snapshot& snapshot);

 private:
  struct Key {
    Worker worker;
    std::string id;
    SteadyTime since;
    auto operator<=>(const Key&) const = default;
  };
  std::map<Key, nanoseconds> m_named;  // and when they are named again
};

}  // namespace hearth::client
