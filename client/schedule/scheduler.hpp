// Which tests go to which server, and when. Pure: facts in, orders out; no I/O, no clock.
//
// Flow: construct with what is to be run; tell it of every worker that can take work, of every test
// that starts and ends there, and of every worker that is lost; after each, take next() until
// nullopt and send each order as one Run. A worker is a server; how many tests it runs at a time is
// its own business, and seen by how many have started and not ended. It never has more queued,
// beyond what has started, than one batch: so nothing has to be taken back.
//
// Longest first by what is expected of each; a group is given to one worker, whole. A test that was
// running when its worker was lost is suspect: it runs again alone on a worker, and if it loses
// that one too, it is over.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "client/run/events.hpp"

namespace hearth::client {

// One execution of a test: its index among the tests planned.
using Task = std::uint32_t;

struct PlannedTest {
  std::optional<nanoseconds> expected;  // how long it took the last time; absent: not known
  std::optional<std::uint32_t> group;   // tests of one number go to one worker; absent: on its own
};

struct ScheduleOptions {
  enum class Order : std::uint8_t { longest_first, as_given };
  Order order = Order::longest_first;
  std::size_t most_in_batch = 2000;  // 1: every test has a Run of its own
  // How much work a batch of small tests is meant to be for one of a worker's slots: a round trip
  // and a look at the results must vanish beside it.
  nanoseconds batch_work = std::chrono::milliseconds(50);
  // How many workers will join, as far as is known: work is kept back for those that have not
  // joined yet.
  std::size_t workers = 1;
  // For one worker that shares with nobody: it gets all that is waiting at once, as one batch.
  bool all_at_once = false;
};

class Scheduler {
 public:
  struct Order {
    Worker worker;
    std::vector<Task> tasks;  // in the order in which they should run
  };

  Scheduler(std::vector<PlannedTest> tests, ScheduleOptions options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // One more execution (a retry, a repetition): behind what is planned, and never in a group.
  Task add(PlannedTest test);

  // A worker that can take work: new, or started again after it was lost. `round_trip`: how long an
  // answer of it takes to come; where that is long, its batches are longer.
  void worker_joined(Worker worker, nanoseconds round_trip = {});
  // The same, learnt later.
  void set_round_trip(Worker worker, nanoseconds round_trip);
  void started(Worker worker, Task task);
  // Its final status has come. A task that never started may finish, too.
  void finished(Worker worker, Task task, std::optional<nanoseconds> took);
  // It is gone. Returns the tasks that are over because they lost a worker twice; all others that
  // it had are given to others.
  [[nodiscard]] std::vector<Task> worker_lost(Worker worker);
  // The worker takes no more work, but ends what it has.
  void worker_retires(Worker worker);

  [[nodiscard]] std::optional<Order> next();
  // No more orders.
  void stop();

  [[nodiscard]] std::size_t unfinished() const;  // tasks that are not over, given out or not
  [[nodiscard]] std::size_t unassigned() const;  // of these, with no worker
  // Tests that were seen to run at a time, over all workers that take work.
  [[nodiscard]] std::size_t slots() const;
  // How long what is unfinished will take with the concurrency seen by now; absent while little is
  // known.
  [[nodiscard]] std::optional<nanoseconds> remaining() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> m_impl;
};

}  // namespace hearth::client
