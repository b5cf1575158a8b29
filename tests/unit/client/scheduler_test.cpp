#include "client/schedule/scheduler.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

using namespace hearth::client;
using namespace std::chrono_literals;
using Kind = ScheduleOptions::Order;
using Tasks = std::vector<Task>;

namespace {

std::vector<PlannedTest> tests_of(const std::vector<nanoseconds>& expected) {
  std::vector<PlannedTest> tests;
  for (const auto duration : expected) tests.push_back({duration, std::nullopt});
  return tests;
}

std::vector<PlannedTest> equal_tests(std::size_t count, std::optional<nanoseconds> expected) {
  return std::vector<PlannedTest>(count, PlannedTest{expected, std::nullopt});
}

ScheduleOptions options(Kind order, std::size_t workers = 1, std::size_t most_in_batch = 2000) {
  ScheduleOptions made;
  made.order = order;
  made.workers = workers;
  made.most_in_batch = most_in_batch;
  return made;
}

// Servers with a number of slots each, that do one thing at a time when told to.
class Servers {
 public:
  Servers(Scheduler& scheduler, std::vector<std::size_t> slots)
      : m_scheduler(scheduler), m_slots(std::move(slots)), m_servers(m_slots.size()) {
    for (Worker worker = 0; worker < m_slots.size(); ++worker) join(worker);
  }

  void join(Worker worker) {
    m_scheduler.worker_joined(worker);
    deliver();
  }
  // All orders that there are, and what they start.
  void deliver() {
    while (auto order = m_scheduler.next()) {
      auto& server = m_servers[order->worker];
      orders.push_back(*order);
      server.waiting.insert(server.waiting.end(), order->tasks.begin(), order->tasks.end());
      start(order->worker);
      most_waiting = std::max(most_waiting, server.waiting.size());
    }
  }
  // The test that has run longest there ends. False: none runs.
  bool end_one(Worker worker, std::optional<nanoseconds> took = 1ms) {
    auto& server = m_servers[worker];
    if (server.running.empty()) return false;
    const auto task = server.running.front();
    server.running.pop_front();
    m_scheduler.finished(worker, task, took);
    start(worker);
    deliver();
    return true;
  }
  // Round by round, until nothing runs anywhere.
  void run_all() {
    for (bool any = true; any;) {
      any = false;
      for (Worker worker = 0; worker < m_servers.size(); ++worker) any |= end_one(worker);
    }
  }
  Tasks lose(Worker worker) {
    m_servers[worker] = {};
    return m_scheduler.worker_lost(worker);
  }

  [[nodiscard]] Tasks running(Worker worker) const {
    return {m_servers[worker].running.begin(), m_servers[worker].running.end()};
  }
  [[nodiscard]] Tasks waiting(Worker worker) const {
    return {m_servers[worker].waiting.begin(), m_servers[worker].waiting.end()};
  }

  std::vector<Scheduler::Order> orders;
  std::vector<std::pair<Worker, Task>> started;
  std::size_t most_waiting = 0;

 private:
  struct Server {
    std::deque<Task> waiting;
    std::deque<Task> running;
  };

  void start(Worker worker) {
    auto& server = m_servers[worker];
    while (server.running.size() < m_slots[worker] && !server.waiting.empty()) {
      const auto task = server.waiting.front();
      server.waiting.pop_front();
      server.running.push_back(task);
      started.emplace_back(worker, task);
      m_scheduler.started(worker, task);
    }
  }

  Scheduler& m_scheduler;
  std::vector<std::size_t> m_slots;
  std::vector<Server> m_servers;
};

Tasks tasks_of(const std::vector<std::pair<Worker, Task>>& started) {
  Tasks tasks;
  for (const auto& [worker, task] : started) tasks.push_back(task);
  return tasks;
}

Tasks sorted(Tasks tasks) {
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

Tasks first_tasks(std::size_t count) {
  Tasks tasks;
  for (Task task = 0; task < count; ++task) tasks.push_back(task);
  return tasks;
}

}  // namespace

TEST_CASE("Scheduler: without tests or without workers there are no orders") {
  Scheduler nothing({}, options(Kind::longest_first));
  nothing.worker_joined(0);
  CHECK_FALSE(nothing.next());
  CHECK(nothing.unfinished() == 0);
  Scheduler nobody(equal_tests(3, 1s), options(Kind::longest_first));
  CHECK_FALSE(nobody.next());
  CHECK(nobody.unfinished() == 3);
  CHECK(nobody.unassigned() == 3);
  CHECK_FALSE(nobody.remaining());
}

TEST_CASE("Scheduler: the longest come first, one on each of the workers") {
  Scheduler scheduler(tests_of({1s, 9s, 3s, 8s, 7s}), options(Kind::longest_first, 3));
  Servers servers(scheduler, {1, 1, 1});
  CHECK(servers.running(0) == Tasks{1});
  CHECK(servers.running(1) == Tasks{3});
  CHECK(servers.running(2) == Tasks{4});
  servers.end_one(1, 8s);
  CHECK(servers.running(1) == Tasks{2});
}

TEST_CASE("Scheduler: a long test never waits behind another") {
  Scheduler scheduler(equal_tests(10, 10s), options(Kind::longest_first, 10));
  Servers servers(scheduler, std::vector<std::size_t>(10, 1));
  for (Worker worker = 0; worker < 10; ++worker) {
    CHECK(servers.running(worker).size() == 1);
    CHECK(servers.waiting(worker).empty());
  }
}

TEST_CASE("Scheduler: work is kept back for workers that have not joined yet") {
  Scheduler scheduler(equal_tests(10, 10s), options(Kind::longest_first, 10));
  Servers servers(scheduler, {4});
  CHECK(servers.started.size() <= 4);
  CHECK(servers.waiting(0).empty());
}

TEST_CASE("Scheduler: a worker's jobs are found out, and all of them are used") {
  for (const auto order : {Kind::longest_first, Kind::as_given}) {
    for (const std::size_t jobs : {1, 2, 3, 8, 50}) {
      Scheduler scheduler(equal_tests(400, 10s), options(order));
      Servers servers(scheduler, {jobs});
      CAPTURE(jobs);
      CHECK(servers.running(0).size() == jobs);
      for (int i = 0; i < 100; ++i) {
        servers.end_one(0, 10s);
        CHECK(servers.running(0).size() == jobs);
      }
      CHECK(servers.waiting(0).size() <= jobs);
      CHECK(scheduler.slots() == jobs);
    }
  }
}

TEST_CASE("Scheduler: small tests come in batches of the work asked for") {
  Scheduler scheduler(equal_tests(10'000, 1ms), options(Kind::longest_first));
  Servers servers(scheduler, {2});
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(sorted(tasks_of(servers.started)) == first_tasks(10'000));
  CHECK(servers.orders.size() < 300);
  CHECK(servers.most_waiting <= 100);  // 50 ms for each slot
}

TEST_CASE("Scheduler: the queue is refilled before it is empty") {
  Scheduler scheduler(equal_tests(10'000, 1ms), options(Kind::longest_first));
  Servers servers(scheduler, {4});
  for (int i = 0; i < 5000; ++i) {
    servers.end_one(0);
    CHECK(servers.running(0).size() == 4);
    CHECK_FALSE(servers.waiting(0).empty());
  }
}

TEST_CASE("Scheduler: a batch has no more tests than allowed") {
  for (const std::size_t most : {1, 7}) {
    Scheduler scheduler(equal_tests(200, 1us), options(Kind::longest_first, 1, most));
    Servers servers(scheduler, {3});
    servers.run_all();
    CHECK(sorted(tasks_of(servers.started)) == first_tasks(200));
    for (const auto& order : servers.orders) CHECK(order.tasks.size() <= most);
    CHECK(servers.most_waiting <= most);
  }
}

TEST_CASE("Scheduler: towards the end, the batches of many workers shrink") {
  Scheduler scheduler(equal_tests(4000, 1ms), options(Kind::longest_first, 40));
  Servers servers(scheduler, std::vector<std::size_t>(40, 1));
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(servers.most_waiting <= 25);  // a quarter of what each has coming
  std::map<Worker, std::size_t> each;
  for (const auto& [worker, task] : servers.started) ++each[worker];
  for (const auto& [worker, count] : each) CHECK(count == 100);
}

TEST_CASE(
    "Scheduler: unknown tests come before known ones, but not before one that decides the end") {
  auto tests = tests_of({10ms, 20ms, 100s, 10ms});
  tests.push_back({std::nullopt, std::nullopt});
  tests.push_back({std::nullopt, std::nullopt});
  Scheduler scheduler(tests, options(Kind::longest_first, 2, 1));
  Servers servers(scheduler, {1, 1});
  CHECK(servers.running(0) == Tasks{2});
  CHECK(servers.running(1) == Tasks{4});
  servers.run_all();
  Tasks ordered;
  for (const auto& order : servers.orders) ordered.push_back(order.tasks.front());
  const auto place = [&](Task task) {
    return std::find(ordered.begin(), ordered.end(), task) - ordered.begin();
  };
  CHECK(place(5) < place(1));
}

TEST_CASE("Scheduler: batches of unknown tests grow with what is learned of them") {
  Scheduler scheduler(equal_tests(10'000, std::nullopt), options(Kind::longest_first));
  Servers servers(scheduler, {1});
  CHECK(servers.orders.front().tasks.size() <= 8);
  CHECK_FALSE(scheduler.remaining());
  for (int i = 0; i < 2000; ++i) servers.end_one(0, 100us);
  CHECK(servers.orders.back().tasks.size() >= 200);
  CHECK(scheduler.remaining().value() > 700ms);
  CHECK(scheduler.remaining().value() < 900ms);
}

TEST_CASE("Scheduler: unknown tests that turn out long are given one at a time") {
  Scheduler scheduler(equal_tests(100, std::nullopt), options(Kind::longest_first, 2));
  Servers servers(scheduler, {1, 1});
  for (int i = 0; i < 20; ++i)
    for (Worker worker = 0; worker < 2; ++worker) servers.end_one(worker, 10s);
  CHECK(servers.waiting(0).size() + servers.waiting(1).size() <= 1);
  CHECK(servers.orders.back().tasks.size() == 1);
}

TEST_CASE("Scheduler: as given, a single worker gets exactly the given order") {
  std::vector<PlannedTest> tests;
  for (unsigned i = 0; i < 1000; ++i) {
    PlannedTest test;
    if (i % 3 != 0) test.expected = std::chrono::milliseconds(i * 7919 % 300);
    if (i % 4 != 0) test.group = i % 5;
    tests.push_back(test);
  }
  for (const std::size_t jobs : {1, 4}) {
    Scheduler scheduler(tests, options(Kind::as_given));
    Servers servers(scheduler, {jobs});
    servers.run_all();
    CHECK(tasks_of(servers.started) == first_tasks(1000));
  }
}

TEST_CASE("Scheduler: as given, each of several workers gets a part of the given order") {
  auto tests = equal_tests(1000, 1ms);
  for (unsigned i = 0; i < 1000; i += 2) tests[i].group = i % 20;
  Scheduler scheduler(tests, options(Kind::as_given, 3));
  Servers servers(scheduler, {1, 2, 1});
  servers.run_all();
  CHECK(sorted(tasks_of(servers.started)) == first_tasks(1000));
  std::map<Worker, Task> last;
  std::map<std::uint32_t, std::set<Worker>> places;
  for (const auto& [worker, task] : servers.started) {
    if (last.contains(worker)) CHECK(last[worker] < task);
    last[worker] = task;
    if (tests[task].group) places[*tests[task].group].insert(worker);
  }
  CHECK(last.size() == 3);
  for (const auto& [group, workers] : places) CHECK(workers.size() == 1);
}

TEST_CASE("Scheduler: a group goes to one worker, whole, and the longest groups first") {
  std::vector<PlannedTest> tests;
  for (std::uint32_t i = 0; i < 300; ++i) tests.push_back({10ms, i % 30});
  for (std::uint32_t i = 0; i < 20; ++i) tests.push_back({50ms, 30});  // 1 s, scattered
  std::swap(tests[5], tests[310]);
  Scheduler scheduler(tests, options(Kind::longest_first, 4));
  Servers servers(scheduler, {2, 2, 1, 1});
  CHECK(tests[servers.orders.front().tasks.front()].group == 30u);
  servers.run_all();
  CHECK(sorted(tasks_of(servers.started)) == first_tasks(320));
  std::map<std::uint32_t, std::set<Worker>> places;
  for (const auto& [worker, task] : servers.started) places[*tests[task].group].insert(worker);
  CHECK(places.size() == 31);
  for (const auto& [group, workers] : places) CHECK(workers.size() == 1);
}

TEST_CASE("Scheduler: what is added comes behind what is planned") {
  Scheduler scheduler(equal_tests(3, 1ms), options(Kind::longest_first));
  Servers servers(scheduler, {1});
  CHECK(scheduler.add({1s, 7}) == 3);
  CHECK(scheduler.add({std::nullopt, std::nullopt}) == 4);
  CHECK(scheduler.unfinished() == 5);
  servers.run_all();
  CHECK(tasks_of(servers.started) == Tasks{0, 1, 2, 3, 4});
  CHECK(scheduler.unfinished() == 0);
}

TEST_CASE("Scheduler: idle workers get what is added later") {
  Scheduler scheduler(equal_tests(2, 1ms), options(Kind::longest_first, 2));
  Servers servers(scheduler, {1, 1});
  servers.run_all();
  for (int i = 0; i < 4; ++i) scheduler.add({1s, std::nullopt});
  servers.deliver();
  CHECK(servers.running(0).size() == 1);
  CHECK(servers.running(1).size() == 1);
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
}

TEST_CASE(
    "Scheduler: what a lost worker had not started goes elsewhere; what ran, runs again alone") {
  Scheduler scheduler(equal_tests(200, 1ms), options(Kind::longest_first, 2));
  Servers servers(scheduler, {3, 3});
  const auto suspects = servers.running(0);
  REQUIRE(suspects.size() == 3);
  CHECK(servers.lose(0).empty());
  servers.deliver();
  servers.started.clear();
  const auto before = servers.orders.size();
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  for (auto i = before; i < servers.orders.size(); ++i) {
    const auto& tasks = servers.orders[i].tasks;
    for (const auto suspect : suspects)
      if (std::count(tasks.begin(), tasks.end(), suspect) > 0) CHECK(tasks == Tasks{suspect});
  }
  for (const auto suspect : suspects)
    CHECK(std::count(servers.started.begin(), servers.started.end(),
                     std::pair(Worker{1}, suspect)) == 1);
}

TEST_CASE("Scheduler: while a suspect runs, its worker gets nothing else") {
  Scheduler scheduler(equal_tests(100, 1ms), options(Kind::longest_first));
  Servers servers(scheduler, {4});
  CHECK(servers.lose(0).empty());
  servers.join(0);
  for (int i = 0; i < 4; ++i) {
    CHECK(servers.running(0).size() == 1);
    CHECK(servers.waiting(0).empty());
    scheduler.add({1ms, std::nullopt});
    servers.deliver();
    CHECK(servers.running(0).size() == 1);
    servers.end_one(0);
  }
  CHECK(servers.running(0).size() == 4);
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
}

TEST_CASE("Scheduler: a test that loses its worker twice is over") {
  Scheduler scheduler(equal_tests(10, 1s), options(Kind::longest_first));
  Servers servers(scheduler, {1});
  const auto killer = servers.running(0).front();
  CHECK(servers.lose(0).empty());
  CHECK(scheduler.unfinished() == 10);
  servers.join(0);
  CHECK(servers.running(0) == Tasks{killer});
  CHECK(servers.lose(0) == Tasks{killer});
  CHECK(scheduler.unfinished() == 9);
  CHECK_FALSE(scheduler.next());
  servers.join(0);
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(std::count(servers.started.begin(), servers.started.end(), std::pair(Worker{0}, killer)) ==
        2);
}

TEST_CASE("Scheduler: a worker that dies of every order does not go on for ever") {
  Scheduler scheduler(equal_tests(20, 1ms), options(Kind::longest_first));
  std::size_t losses = 0;
  std::size_t over = 0;
  while (scheduler.unfinished() > 0 && losses < 1000) {
    scheduler.worker_joined(0);
    REQUIRE(scheduler.next());
    over += scheduler.worker_lost(0).size();
    ++losses;
  }
  CHECK(over == 20);
  CHECK(losses == 40);
}

TEST_CASE("Scheduler: a group that loses its worker goes to another, whole") {
  std::vector<PlannedTest> tests = equal_tests(50, 10ms);
  for (auto& test : tests) test.group = 1;
  Scheduler scheduler(tests, options(Kind::longest_first, 3));
  Servers servers(scheduler, {1, 1, 1});
  const auto owner = servers.started.front().first;
  for (int i = 0; i < 10; ++i) servers.end_one(owner, 10ms);
  CHECK(servers.started.size() == 11);
  const auto suspect = servers.running(owner).front();
  CHECK(servers.lose(owner).empty());
  servers.deliver();
  servers.started.clear();
  for (Worker worker = 0; worker < 3; ++worker)
    for (const auto task : servers.running(worker)) servers.started.emplace_back(worker, task);
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(servers.started.size() == 40);
  std::set<Worker> workers;
  for (const auto& [worker, task] : servers.started)
    if (task != suspect) workers.insert(worker);
  CHECK(workers.size() == 1);
}

TEST_CASE("Scheduler: a worker that retires ends what it has") {
  Scheduler scheduler(equal_tests(100, 1ms), options(Kind::longest_first, 2));
  Servers servers(scheduler, {1, 1});
  const auto had = servers.running(0).size() + servers.waiting(0).size();
  scheduler.worker_retires(0);
  servers.started.clear();
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(static_cast<std::size_t>(
            std::count_if(servers.started.begin(), servers.started.end(),
                          [](const auto& start) { return start.first == 0; })) == had - 1);
}

TEST_CASE("Scheduler: a worker that retires, is lost and joins again works again") {
  Scheduler scheduler(equal_tests(100, 1ms), options(Kind::longest_first, 2));
  Servers servers(scheduler, {2, 2});
  scheduler.worker_retires(0);
  scheduler.worker_retires(0);
  CHECK(servers.lose(0).empty());
  CHECK(servers.lose(0).empty());
  servers.deliver();
  servers.join(0);
  servers.started.clear();
  servers.run_all();
  CHECK(scheduler.unfinished() == 0);
  CHECK(std::count_if(servers.started.begin(), servers.started.end(),
                      [](const auto& start) { return start.first == 0; }) > 0);
}

TEST_CASE("Scheduler: after stop there are no orders") {
  Scheduler scheduler(equal_tests(100, 1s), options(Kind::longest_first));
  Servers servers(scheduler, {2});
  scheduler.stop();
  const auto orders = servers.orders.size();
  servers.run_all();
  scheduler.add({1s, std::nullopt});
  CHECK_FALSE(scheduler.next());
  CHECK(servers.orders.size() == orders);
  CHECK(scheduler.unfinished() > 0);
}

TEST_CASE("Scheduler: news of tests that a worker does not have changes nothing") {
  Scheduler scheduler(equal_tests(4, 1s), options(Kind::longest_first, 2));
  Servers servers(scheduler, {1, 1});
  const auto there = servers.running(1).front();
  scheduler.started(0, there);
  scheduler.finished(0, there, 1s);
  scheduler.finished(0, 3, 1s);  // nobody's
  scheduler.finished(0, 4711, 1s);
  scheduler.started(4711, 0);
  CHECK(scheduler.worker_lost(4711).empty());
  CHECK(scheduler.unfinished() == 4);
  const auto here = servers.running(0).front();
  servers.end_one(0, 1s);
  scheduler.finished(0, here, 1s);
  CHECK(scheduler.unfinished() == 3);
}

TEST_CASE("Scheduler: a test that ends without having started has ended") {
  Scheduler scheduler(equal_tests(3, 1ms), options(Kind::as_given));
  scheduler.worker_joined(0);
  const auto order = scheduler.next();
  REQUIRE(order);
  for (const auto task : order->tasks) scheduler.finished(0, task, std::nullopt);
  while (const auto more = scheduler.next())
    for (const auto task : more->tasks) scheduler.finished(0, task, std::nullopt);
  CHECK(scheduler.unfinished() == 0);
}

TEST_CASE("Scheduler: the remaining time follows what is seen") {
  Scheduler scheduler(equal_tests(100, 100ms), options(Kind::longest_first));
  CHECK_FALSE(scheduler.remaining());
  Servers servers(scheduler, {4});
  CHECK(scheduler.remaining().value() > 2300ms);
  CHECK(scheduler.remaining().value() < 2600ms);
  for (int i = 0; i < 60; ++i) servers.end_one(0, 200ms);  // slower than it was
  CHECK(scheduler.remaining().value() > 1700ms);
  CHECK(scheduler.remaining().value() < 2100ms);
  for (int i = 0; i < 40; ++i) servers.end_one(0, 200ms);
  CHECK(scheduler.remaining() == 0ns);
}

TEST_CASE("Scheduler: durations that cannot be do no harm") {
  auto tests = tests_of({nanoseconds::max(), nanoseconds::min(), 0ns, nanoseconds::max()});
  Scheduler scheduler(tests, options(Kind::longest_first, 2));
  Servers servers(scheduler, {1, 1});
  CHECK(scheduler.remaining());
  while (servers.end_one(0, nanoseconds::max()) || servers.end_one(1, nanoseconds::min())) continue;
  CHECK(scheduler.unfinished() == 0);
}

TEST_CASE("Scheduler: one worker that shares with nobody gets everything in one order") {
  for (const auto order : {Kind::as_given, Kind::longest_first}) {
    std::vector<PlannedTest> tests(5000);
    for (std::size_t i = 0; i < tests.size(); ++i) {
      if (i % 3 == 0) tests[i].expected = std::chrono::milliseconds(i);
      if (i % 7 == 0) tests[i].group = static_cast<std::uint32_t>(i % 5);
    }
    ScheduleOptions whole;
    whole.order = order;
    whole.all_at_once = true;
    Scheduler scheduler(tests, whole);
    scheduler.worker_joined(0);
    const auto all = scheduler.next();
    REQUIRE(all);
    CHECK(all->tasks.size() == tests.size());
    CHECK_FALSE(scheduler.next());
    scheduler.finished(0, all->tasks.front(), std::nullopt);
    const auto retry = scheduler.add({});
    const auto again = scheduler.next();
    REQUIRE(again);
    CHECK(again->tasks == std::vector<Task>{retry});
  }
}

TEST_CASE("Scheduler: all at once, a single worker gets all there is in one order") {
  for (const auto order : {Kind::longest_first, Kind::as_given}) {
    auto all = options(order, 1, 7);
    all.all_at_once = true;
    auto tests = equal_tests(5000, 1s);
    for (unsigned i = 0; i < 5000; i += 3) tests[i].group = i % 10;
    Scheduler scheduler(tests, all);
    Servers servers(scheduler, {2});
    REQUIRE(servers.orders.size() == 1);
    CHECK(sorted(servers.orders[0].tasks) == first_tasks(5000));
    scheduler.add({1s, std::nullopt});
    servers.deliver();
    CHECK(servers.orders.size() == 2);
    CHECK(servers.lose(0).empty());
    servers.join(0);
    CHECK(servers.running(0).size() == 1);  // what ran, alone
    CHECK(servers.waiting(0).empty());
    servers.run_all();
    CHECK(scheduler.unfinished() == 0);
    CHECK(servers.orders.size() == 5);
  }
}
