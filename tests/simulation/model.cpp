#include "tests/simulation/model.hpp"

#include <algorithm>
#include <deque>
#include <queue>
#include <unordered_map>

namespace hearth::simulation {
namespace {

using client::Scheduler;
using client::Task;

enum class Kind : std::uint8_t {
  order_arrives,
  test_ends,
  server_dies,
  server_returns,
  client_hears_start,
  client_hears_end,
  client_hears_loss,
  client_hears_return,
};

struct Event {
  Time time;
  std::uint64_t number;  // of one time, first scheduled is first
  std::uint32_t server;
  std::uint32_t life;
  Task test;
  Kind kind;
  bool operator>(const Event& other) const {
    return time != other.time ? time > other.time : number > other.number;
  }
};

struct Server {
  bool up = true;
  std::uint32_t life = 0;
  std::deque<std::vector<Task>> under_way;  // orders, in the order sent
  std::deque<Task> waiting;
  std::vector<Task> running;
  bool alone = false;  // what runs is a suspect
};

// The client's view of a server, which is late.
struct Remote {
  std::uint32_t life = 0;
  std::vector<Task>
      victims;  // of the death that it has not heard of yet: what ran, or was about to
};

// What has become of a test, as the servers and the client know it.
struct Fate {
  std::uint8_t starts = 0;
  std::uint8_t deaths = 0;  // of servers on which it ran, or was about to
  bool over = false;
};

std::vector<client::PlannedTest> planned(const Workload& workload) {
  std::vector<client::PlannedTest> tests;
  tests.reserve(workload.tests.size());
  for (const auto& test : workload.tests) {
    client::PlannedTest plan{std::nullopt, test.group};
    if (test.remembered) plan.expected = client::nanoseconds(*test.remembered);
    tests.push_back(plan);
  }
  return tests;
}

class Model {
 public:
  Model(const Workload& workload, const client::ScheduleOptions& options)
      : m_workload(workload),
        m_options(options),
        m_scheduler(planned(workload), options),
        m_servers(workload.servers.size()),
        m_remotes(workload.servers.size()),
        m_fates(workload.tests.size()) {}

  [[nodiscard]] Result run();

 private:
  void push(Time time, Kind kind, std::uint32_t server, Task test = 0) {
    m_events.push({time, m_number++, server, m_servers[server].life, test, kind});
  }
  void tell_client(Kind kind, std::uint32_t server, Task test = 0) {
    push(m_now + m_workload.latency, kind, server, test);
  }
  void fault(const std::string& what) {
    if (m_result.faults.size() < 10) m_result.faults.push_back(what);
  }

  void handle(const Event& event);
  void order_arrives(const Event& event);
  void test_ends(const Event& event);
  void server_dies(std::uint32_t index);
  void server_returns(std::uint32_t index);
  void start_tests(std::uint32_t index);
  void check_start(std::uint32_t index, Task test);
  void check_group(std::uint32_t index, Task test);
  void client_hears_end(const Event& event);
  void client_hears_loss(std::uint32_t index);
  void end(Task test);
  void send_orders();
  void plan_death(std::uint32_t index);

  const Workload& m_workload;
  client::ScheduleOptions m_options;
  Scheduler m_scheduler;
  std::vector<Server> m_servers;
  std::vector<Remote> m_remotes;
  std::vector<Fate> m_fates;
  // Where each group is: server and life.
  std::unordered_map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> m_groups;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> m_events;
  std::uint64_t m_number = 0;
  Time m_now = 0;
  std::size_t m_over = 0;
  Result m_result;
};

void Model::plan_death(std::uint32_t index) {
  const auto& deaths = m_workload.servers[index].deaths;
  const auto life = m_servers[index].life;
  if (life < deaths.size()) push(std::max(m_now, deaths[life].dies), Kind::server_dies, index);
}

Result Model::run() {
  for (std::uint32_t i = 0; i < m_servers.size(); ++i) {
    plan_death(i);
    m_scheduler.worker_joined(i, client::nanoseconds(2 * m_workload.latency));
  }
  send_orders();
  while (m_over < m_fates.size() && !m_events.empty()) {
    const auto event = m_events.top();
    m_events.pop();
    m_now = event.time;
    handle(event);
  }
  m_result.makespan = m_now;
  if (m_over != m_fates.size()) fault(std::to_string(m_fates.size() - m_over) + " tests were lost");
  if (m_scheduler.unfinished() != m_fates.size() - m_over)
    fault("the scheduler holds " + std::to_string(m_scheduler.unfinished()) + " to be unfinished");
  return std::move(m_result);
}

void Model::handle(const Event& event) {
  switch (event.kind) {
    case Kind::order_arrives:
      return order_arrives(event);
    case Kind::test_ends:
      return test_ends(event);
    case Kind::server_dies:
      return server_dies(event.server);
    case Kind::server_returns:
      return server_returns(event.server);
    case Kind::client_hears_start:
      m_scheduler.started(event.server, event.test);
      break;
    case Kind::client_hears_end:
      client_hears_end(event);
      break;
    case Kind::client_hears_loss:
      client_hears_loss(event.server);
      break;
    case Kind::client_hears_return:
      m_scheduler.worker_joined(event.server, client::nanoseconds(2 * m_workload.latency));
      break;
  }
  send_orders();
}

void Model::send_orders() {
  while (auto order = m_scheduler.next()) {
    ++m_result.orders;
    if (order->tasks.empty() || order->tasks.size() > m_options.most_in_batch)
      fault("an order of " + std::to_string(order->tasks.size()) + " tests");
    auto& server = m_servers[order->worker];
    auto& remote = m_remotes[order->worker];
    if (remote.life == server.life) {
      server.under_way.push_back(std::move(order->tasks));
      push(m_now + m_workload.latency, Kind::order_arrives, order->worker);
    } else if (remote.victims.empty()) {
      remote.victims.push_back(order->tasks.front());
    }
  }
}

void Model::order_arrives(const Event& event) {
  auto& server = m_servers[event.server];
  if (event.life != server.life) return;
  const auto tasks = std::move(server.under_way.front());
  server.under_way.pop_front();
  server.waiting.insert(server.waiting.end(), tasks.begin(), tasks.end());
  start_tests(event.server);
  m_result.most_queued = std::max(m_result.most_queued, server.waiting.size());
  if (server.waiting.size() > m_options.most_in_batch)
    fault("more than a batch waits on a server: " + std::to_string(server.waiting.size()));
}

void Model::start_tests(std::uint32_t index) {
  auto& server = m_servers[index];
  while (server.running.size() < m_workload.servers[index].slots && !server.waiting.empty()) {
    const auto test = server.waiting.front();
    server.waiting.pop_front();
    check_start(index, test);
    server.running.push_back(test);
    tell_client(Kind::client_hears_start, index, test);
    push(m_now + m_workload.tests[test].duration, Kind::test_ends, index, test);
  }
}

void Model::check_start(std::uint32_t index, Task test) {
  auto& server = m_servers[index];
  auto& fate = m_fates[test];
  if (++fate.starts > fate.deaths + 1)
    fault("test " + std::to_string(test) + " runs again without a death");
  if (server.alone) fault("a test runs beside a suspect");
  if (fate.deaths > 1 || fate.over) fault("a test runs that is over");
  if (fate.deaths > 0) {
    if (!server.running.empty()) fault("a suspect runs beside others");
    server.alone = true;
  } else {
    check_group(index, test);
  }
}

void Model::check_group(std::uint32_t index, Task test) {
  const auto group = m_workload.tests[test].group;
  if (!group) return;
  const std::pair here{index, m_servers[index].life};
  const auto [entry, first] = m_groups.try_emplace(*group, here);
  if (first || entry->second == here) return;
  if (m_servers[entry->second.first].life == entry->second.second)
    fault("group " + std::to_string(*group) + " is on two servers");
  entry->second = here;
}

void Model::test_ends(const Event& event) {
  auto& server = m_servers[event.server];
  if (event.life != server.life) return;
  std::erase(server.running, event.test);
  server.alone = false;
  tell_client(Kind::client_hears_end, event.server, event.test);
  start_tests(event.server);
}

void Model::server_dies(std::uint32_t index) {
  auto& server = m_servers[index];
  const auto returns = m_workload.servers[index].deaths[server.life].returns;
  tell_client(Kind::client_hears_loss, index);
  auto& victims = m_remotes[index].victims;
  victims = server.running;
  if (victims.empty() && !server.under_way.empty())
    victims.push_back(server.under_way.front().front());
  const auto life = server.life + 1;
  server = {};
  server.up = false;
  server.life = life;
  if (returns) push(*returns, Kind::server_returns, index);
}

void Model::server_returns(std::uint32_t index) {
  m_servers[index].up = true;
  tell_client(Kind::client_hears_return, index);
  plan_death(index);
}

void Model::client_hears_end(const Event& event) {
  end(event.test);
  m_scheduler.finished(event.server, event.test,
                       client::nanoseconds(m_workload.tests[event.test].duration));
}

void Model::client_hears_loss(std::uint32_t index) {
  auto& remote = m_remotes[index];
  ++m_result.deaths;
  ++remote.life;
  for (const auto test : std::exchange(remote.victims, {})) ++m_fates[test].deaths;
  for (const auto test : m_scheduler.worker_lost(index)) {
    if (m_fates[test].deaths != 2) fault("a test is given up that did not lose two servers");
    ++m_result.given_up;
    end(test);
  }
}

void Model::end(Task test) {
  if (std::exchange(m_fates[test].over, true)) fault("a test ends twice");
  ++m_over;
}

}  // namespace

Result simulate(const Workload& workload, const client::ScheduleOptions& options) {
  return Model(workload, options).run();
}

}  // namespace hearth::simulation
