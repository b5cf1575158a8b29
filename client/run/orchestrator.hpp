// A run from its start to its end, over one server or many: it lists, has the tests chosen, gives
// each worker what the scheduler says, books what comes back, starts lost servers again, and says
// goodbye. It tells a RunListener all of it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/run/events.hpp"
#include "client/run/server_slot.hpp"
#include "client/schedule/scheduler.hpp"
#include "protocol/error.hpp"

namespace hearth::client {

// What is to be run, and what is known of it.
struct Chosen {
  std::vector<std::string> ids;    // an id that is there twice is run twice
  std::vector<PlannedTest> tests;  // of the same index; may be empty: nothing is known
  ScheduleOptions::Order order = ScheduleOptions::Order::longest_first;
  bool all = false;  // every listed test
};

struct RunPlan {
  // For each worker: the program's path and its arguments.
  std::vector<std::vector<std::string>> servers;
  // False: `choose` gets no list; whatever ids it gives are run.
  bool list_first = true;
  // Gets the list, and gives ids that are asked for by name, since a List of everything does not
  // show them: disabled tests, and results that are no tests (RPC-12.5, 12.19). May be empty.
  std::function<std::vector<std::string>(const std::vector<std::string>& listed)> wanted;
  // Called once the servers have been started, while they load; may be empty.
  std::function<void()> meanwhile;
  // Gets the list, and what is there of the wanted. Not set: the list is all that is wanted.
  std::function<Chosen(std::vector<std::string> listed)> choose;
  unsigned retries = 0;          // how often a test that fails runs again
  unsigned rounds = 1;           // how often everything is run; 0: until it is stopped
  std::size_t max_failures = 0;  // after that many the run is stopped; 0: never
  bool isolated = false;         // a server for each test
  bool to_the_end = true;  // the programs go through their end, which is a result too; RPC-12.18
  std::vector<std::string> filter_tags;  // tests with any of these are neither listed nor counted
  Patience patience;
};

struct RunEnd {
  std::optional<std::string> refused;  // no server said Hello, and why: nothing was listed or run
  std::vector<std::string> listed;     // empty where there is a `choose`: it was given to that
  Outcome outcome;
};

// Runs the event loop until the run is over. SIGINT, SIGTERM and SIGHUP end it in good order; a
// second one kills the servers. SIGTSTP suspends the servers, and then this process. SIGUSR1, and
// the key `t` where stdin is a terminal, call on_asked of the listener.
[[nodiscard]] Expected<RunEnd> run_tests(RunPlan plan, RunListener& listener);

}  // namespace hearth::client
