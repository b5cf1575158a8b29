#include "tests/simulation/workload.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace hearth::simulation {
namespace {

constexpr double second = 1e9;
constexpr double typical = 0.01 * second;

Time draw_duration(const WorkloadOptions& options, Random& random) {
  using Durations = WorkloadOptions::Durations;
  switch (options.durations) {
    case Durations::pareto:
      return static_cast<Time>(random.pareto(typical, 1.5));
    case Durations::lognormal:
      return static_cast<Time>(random.lognormal(typical, 1.5));
    case Durations::equal:
      break;
  }
  return static_cast<Time>(typical);
}

void remember(std::vector<Test>& tests, const WorkloadOptions& options, Random& random) {
  for (auto& test : tests) {
    const auto factor = random.lognormal(1, options.history_error);
    const bool stale = random.uniform() < options.history_stale;
    const auto& like = stale ? tests[random.below(tests.size())] : test;
    const bool missing = random.uniform() < options.history_missing;
    if (!missing) test.remembered = static_cast<Time>(static_cast<double>(like.duration) * factor);
  }
}

// Sizes are exponential: most groups are small, some are several times the mean. Members are
// scattered.
void form_groups(std::vector<Test>& tests, double mean, Random& random) {
  std::vector<std::uint32_t> groups;
  for (std::uint32_t group = 0; groups.size() < tests.size(); ++group) {
    const auto size = 1 + static_cast<std::size_t>(random.exponential(mean - 1));
    groups.insert(groups.end(), size, group);
  }
  for (std::size_t i = 0; i < tests.size(); ++i) {
    std::swap(groups[i], groups[i + random.below(tests.size() - i)]);
    tests[i].group = groups[i];
  }
}

// Half of the servers that die come back after a while.
void plan_deaths(ServerPlan& server, double mean_life, Time horizon, Random& random) {
  Time now = 0;
  for (;;) {
    now += static_cast<Time>(random.exponential(mean_life));
    if (now > horizon) return;
    const bool returns = random.uniform() < 0.5;
    const auto back = now + static_cast<Time>(random.exponential(mean_life / 50)) + 1;
    server.deaths.push_back({now, returns ? std::optional(back) : std::nullopt});
    if (!returns) return;
    now = back;
  }
}

}  // namespace

double Random::uniform() {
  return (static_cast<double>(m_engine() >> 11) + 0.5) * 0x1p-53;
}

double Random::normal() {
  const auto radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

double Random::exponential(double mean) {
  return -mean * std::log(uniform());
}

double Random::pareto(double smallest, double shape) {
  return smallest * std::pow(uniform(), -1 / shape);
}

double Random::lognormal(double median, double sigma) {
  return sigma == 0 ? median : median * std::exp(sigma * normal());
}

std::size_t Random::below(std::size_t bound) {
  return m_engine() % bound;
}

Workload make_workload(const WorkloadOptions& options) {
  Random random(options.seed);
  Workload workload;
  workload.latency = static_cast<Time>(options.latency * second);
  workload.tests.resize(options.tests);
  for (auto& test : workload.tests) test.duration = draw_duration(options, random);
  remember(workload.tests, options, random);
  if (options.mean_group > 0) form_groups(workload.tests, options.mean_group, random);
  workload.servers.resize(options.servers);
  for (auto& server : workload.servers) server.slots = options.slots;
  if (options.deaths > 0) {
    const auto least = lower_bound(workload);
    for (std::size_t i = 1; i < workload.servers.size(); ++i)  // one always lives
      plan_deaths(workload.servers[i], static_cast<double>(least) / options.deaths, 20 * least,
                  random);
  }
  return workload;
}

Time lower_bound(const Workload& workload) {
  double total = 0;
  Time longest = 0;
  for (const auto& test : workload.tests) {
    total += static_cast<double>(test.duration);
    longest = std::max(longest, test.duration);
  }
  double slots = 0;
  for (const auto& server : workload.servers) slots += static_cast<double>(server.slots);
  return std::max(longest, static_cast<Time>(total / slots));
}

}  // namespace hearth::simulation
