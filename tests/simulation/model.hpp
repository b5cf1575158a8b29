// Drives the real scheduler with simulated servers, event by event. Time passes in the servers and
// in messages under way; the scheduler decides in none.
//
// A server runs as many tests as it has slots, in the order in which it got them, over all its
// Runs. When it dies, what it said before still arrives, then its end; what is sent to it meanwhile
// is lost with it.
#pragma once

#include <string>
#include <vector>

#include "client/schedule/scheduler.hpp"
#include "tests/simulation/workload.hpp"

namespace hearth::simulation {

struct Result {
  Time makespan = 0;                // until the client knows of the last test's end
  std::size_t orders = 0;           // Runs sent
  std::size_t deaths = 0;           // that the client saw
  std::size_t given_up = 0;         // tests that lost two servers
  std::size_t most_queued = 0;      // tests that waited on one server at a time
  std::vector<std::string> faults;  // what must never happen; a few of each kind
};

[[nodiscard]] Result simulate(const Workload& workload, const client::ScheduleOptions& options);

}  // namespace hearth::simulation
