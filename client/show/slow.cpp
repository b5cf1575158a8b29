#include "client/show/slow.hpp"

#include "client/text.hpp"

namespace hearth::client {

using namespace std::chrono_literals;

bool is_slow(nanoseconds taken, std::optional<nanoseconds> expected) {
  return taken > 60s || (expected && taken > 3 * *expected && taken > *expected + 2s);
}

std::string last_time_text(std::optional<nanoseconds> expected) {
  return expected ? ", " + duration_text(*expected) + " the last time" : std::string();
}

std::vector<std::string> SlowWatch::look(const Snapshot& snapshot) {
  std::vector<std::string> lines;
  std::map<Key, nanoseconds> named;
  for (const auto& test : snapshot.running) {
    const auto taken = snapshot.now - test.since;
    if (!is_slow(taken, test.expected)) continue;
    const Key key{test.worker, std::string(test.id), test.since};
    const auto before = m_named.find(key);
    const bool due = before == m_named.end() || taken >= before->second;
    if (due)
      lines.push_back("SLOW   " + printable_line(test.id) + "  " + clock_text(taken) + " so far" +
                      last_time_text(test.expected));
    named.emplace(key, due ? 2 * taken : before->second);
  }
  m_named = std::move(named);
  return lines;
}

}  // namespace hearth::client
