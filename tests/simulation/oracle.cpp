#include "tests/simulation/oracle.hpp"

#include <algorithm>
#include <map>
#include <queue>

namespace hearth::simulation {
namespace {

enum class Kind : std::uint8_t { test_ends, server_dies, server_returns };

struct Event {
  Time time;
  std::uint32_t server;
  std::uint32_t life;  // which of the server's lives it belongs to
  std::uint32_t test;
  Kind kind;
  bool operator>(const Event& other) const { return time > other.time; }
};

class Oracle {
 public:
  explicit Oracle(const Workload& workload);
  [[nodiscard]] Time makespan();

 private:
  struct Server {
    bool up = true;
    std::uint32_t life = 0;
    std::vector<std::uint32_t> running;
  };

  void start_tests(std::uint32_t index, Time now);
  void handle(const Event& event);
  void schedule_death(std::uint32_t index);

  const Workload& m_workload;
  std::vector<Server> m_servers;
  std::priority_queue<std::pair<Time, std::uint32_t>> m_waiting;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> m_events;
  Time m_end = 0;
};

Oracle::Oracle(const Workload& workload)
    : m_workload(workload), m_servers(workload.servers.size()) {
  std::vector<std::pair<Time, std::uint32_t>> tests;
  tests.reserve(workload.tests.size());
  for (std::uint32_t i = 0; i < workload.tests.size(); ++i)
    tests.emplace_back(workload.tests[i].duration, i);
  m_waiting = decltype(m_waiting)({}, std::move(tests));
}

void Oracle::schedule_death(std::uint32_t index) {
  const auto& deaths = m_workload.servers[index].deaths;
  const auto life = m_servers[index].life;
  if (life < deaths.size()) m_events.push({deaths[life].dies, index, life, 0, Kind::server_dies});
}

void Oracle::start_tests(std::uint32_t index, Time now) {
  auto& server = m_servers[index];
  while (server.up && !m_waiting.empty() &&
         server.running.size() < m_workload.servers[index].slots) {
    const auto [duration, test] = m_waiting.top();
    m_waiting.pop();
    server.running.push_back(test);
    m_events.push({now + duration, index, server.life, test, Kind::test_ends});
  }
}

void Oracle::handle(const Event& event) {
  auto& server = m_servers[event.server];
  if (event.life != server.life) return;
  switch (event.kind) {
    case Kind::test_ends:
      std::erase(server.running, event.test);
      m_end = event.time;
      return start_tests(event.server, event.time);
    case Kind::server_dies: {
      const auto returns = m_workload.servers[event.server].deaths[server.life].returns;
      ++server.life;
      server.up = false;
      for (const auto test : server.running)
        m_waiting.emplace(m_workload.tests[test].duration, test);
      server.running.clear();
      if (returns) m_events.push({*returns, event.server, server.life, 0, Kind::server_returns});
      for (std::uint32_t i = 0; i < m_servers.size() && !m_waiting.empty(); ++i)
        start_tests(i, event.time);
      return;
    }
    case Kind::server_returns:
      server.up = true;
      schedule_death(event.server);
      return start_tests(event.server, event.time);
  }
}

Time Oracle::makespan() {
  for (std::uint32_t i = 0; i < m_servers.size(); ++i) schedule_death(i);
  for (std::uint32_t i = 0; i < m_servers.size(); ++i) start_tests(i, 0);
  std::size_t left = m_workload.tests.size();
  while (left > 0 && !m_events.empty()) {
    const auto event = m_events.top();
    m_events.pop();
    if (event.kind == Kind::test_ends && event.life == m_servers[event.server].life) --left;
    handle(event);
  }
  return m_end;
}

// What the largest group takes if a server does nothing else.
Time largest_group(const Workload& workload) {
  struct Group {
    Time total = 0;
    Time longest = 0;
  };
  std::map<std::uint32_t, Group> groups;
  std::size_t most_slots = 1;
  for (const auto& server : workload.servers) most_slots = std::max(most_slots, server.slots);
  Time largest = 0;
  for (const auto& test : workload.tests) {
    if (!test.group) continue;
    auto& group = groups[*test.group];
    group.total += test.duration;
    group.longest = std::max(group.longest, test.duration);
    largest = std::max({largest, group.longest, group.total / static_cast<Time>(most_slots)});
  }
  return largest;
}

}  // namespace

Time oracle_makespan(const Workload& workload) {
  return std::max(Oracle(workload).makespan(), largest_group(workload));
}

}  // namespace hearth::simulation
