// The scheduler against its bounds, over many simulated servers: a table, and exit status 1 if a
// bound is missed or anything happened that never must. Deterministic: simulated time alone
// decides.
//
//   simulation_test [SCALE]    SCALE: 1 is the whole size; 0.1 has a tenth of the tests and servers
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "tests/simulation/model.hpp"
#include "tests/simulation/oracle.hpp"

namespace hearth::simulation {
namespace {

using Durations = WorkloadOptions::Durations;
using Order = client::ScheduleOptions::Order;

struct Scenario {
  const char* name;
  WorkloadOptions workload;
  double limit;        // makespan, over...
  bool beside_oracle;  // ...the oracle's; otherwise the lower bound
  Order order = Order::longest_first;
};

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all{
      {"true history, Pareto", {1'000'000, 1000, 1, Durations::pareto}, 1.05, false},
      {"true history, lognormal", {1'000'000, 1000, 1, Durations::lognormal}, 1.05, false},
      {"... 8 slots each", {1'000'000, 1000, 8, Durations::lognormal}, 1.05, false},
      {"... far away (25 ms)", {1'000'000, 1000, 1, Durations::lognormal, 0.025}, 1.05, false},
      {"... all of one length", {1'000'000, 1000, 4, Durations::equal}, 1.05, false},
      {"deaths", {.tests = 1'000'000, .servers = 1000, .deaths = 0.3, .seed = 2}, 1.1, true},
      {"wrong history",
       {.tests = 1'000'000, .servers = 1000, .history_error = 0.7, .history_stale = 0.02},
       1.1,
       true},
      {"a tenth not known",
       {.tests = 1'000'000, .servers = 1000, .history_missing = 0.1},
       1.1,
       true},
      {"groups", {.tests = 1'000'000, .servers = 1000, .mean_group = 20}, 1.1, true},
      {"all of these",
       {.tests = 1'000'000,
        .servers = 1000,
        .history_error = 0.5,
        .history_stale = 0.02,
        .history_missing = 0.1,
        .mean_group = 20,
        .deaths = 0.3,
        .seed = 3},
       1.1,
       true},
      {"... 8 slots each",
       {.tests = 1'000'000,
        .servers = 125,
        .slots = 8,
        .history_error = 0.5,
        .history_stale = 0.02,
        .history_missing = 0.1,
        .mean_group = 20,
        .deaths = 0.3,
        .seed = 4},
       1.1,
       true},
      // Where nothing is known, chance decides which of the longest tests begins last.
      {"nothing known", {.tests = 1'000'000, .servers = 1000, .history_missing = 1}, 1.15, true},
      // No bound is promised here: but nothing is lost, and groups hold.
      {"all of these, as given",
       {.tests = 1'000'000,
        .servers = 1000,
        .slots = 2,
        .history_missing = 0.5,
        .mean_group = 20,
        .deaths = 0.3,
        .seed = 5},
       2,
       true,
       Order::as_given},
  };
  return all;
}

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

bool run(const Scenario& scenario, double scale) {
  auto options = scenario.workload;
  const auto scaled = [&](std::size_t count) {
    return std::max<std::size_t>(10, static_cast<std::size_t>(static_cast<double>(count) * scale));
  };
  options.tests = scaled(options.tests);
  options.servers = scaled(options.servers);
  const auto workload = make_workload(options);
  const auto least = scenario.beside_oracle ? oracle_makespan(workload) : lower_bound(workload);
  client::ScheduleOptions schedule;
  schedule.order = scenario.order;
  schedule.workers = options.servers;
  const auto before = cpu_seconds();
  const auto result = simulate(workload, schedule);
  const auto cpu = cpu_seconds() - before;
  const auto ratio = static_cast<double>(result.makespan) / static_cast<double>(least);
  const bool good = ratio <= scenario.limit && result.faults.empty();
  std::printf("%-28s %8zu %5zu x %zu %9.3f %9.3f %7.4f %6.2f %8zu %6zu %5zu %6zu %6.2f %s\n",
              scenario.name, options.tests, options.servers, options.slots,
              static_cast<double>(least) / 1e9, static_cast<double>(result.makespan) / 1e9, ratio,
              scenario.limit, result.orders, result.deaths, result.given_up, result.most_queued,
              cpu, good ? "ok" : "NOT OK");
  for (const auto& fault : result.faults) std::printf("    %s\n", fault.c_str());
  return good;
}

int run_all(double scale) {
  std::printf("%-28s %8s %9s %9s %9s %7s %6s %8s %6s %5s %6s %6s\n", "", "tests", "servers",
              "least s", "took s", "ratio", "limit", "Runs", "deaths", "given", "queued", "CPU s");
  bool good = true;
  for (const auto& scenario : scenarios()) good &= run(scenario, scale);
  return good ? 0 : 1;
}

}  // namespace
}  // namespace hearth::simulation

int main(int argc, char** argv) {
  const auto scale = argc > 1 ? std::atof(argv[1]) : 1;
  if (scale <= 0 || scale > 10) {
    std::fprintf(stderr, "usage: simulation_test [SCALE]\n");
    return 2;
  }
  return hearth::simulation::run_all(scale);
}
