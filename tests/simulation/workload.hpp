// What a simulated run consists of: tests with their true durations, what a history says of them,
// and when servers die. From a seed, the same everywhere (the library's distributions differ
// between implementations).
#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <vector>

namespace hearth::simulation {

using Time = std::int64_t;  // nanoseconds

class Random {
 public:
  explicit Random(std::uint64_t seed) : m_engine(seed) {}
  // In (0, 1).
  [[nodiscard]] double uniform();
  [[nodiscard]] double normal();
  [[nodiscard]] double exponential(double mean);
  [[nodiscard]] double pareto(double smallest, double shape);
  [[nodiscard]] double lognormal(double median, double sigma);
  [[nodiscard]] std::size_t below(std::size_t bound);

 private:
  std::mt19937_64 m_engine;
};

struct Test {
  Time duration;
  std::optional<Time> remembered;
  std::optional<std::uint32_t> group;
};

// A server is up until `dies`, and up again from `returns`; never again if that is absent.
struct Death {
  Time dies;
  std::optional<Time> returns;
};

struct ServerPlan {
  std::size_t slots = 1;
  std::vector<Death> deaths;  // in order of time
};

struct Workload {
  std::vector<Test> tests;
  std::vector<ServerPlan> servers;
  Time latency = 0;  // of a message, either way
};

struct WorkloadOptions {
  std::size_t tests = 0;
  std::size_t servers = 0;
  std::size_t slots = 1;
  enum class Durations : std::uint8_t { pareto, lognormal, equal } durations = Durations::lognormal;
  double latency = 0.0005;     // seconds
  double history_error = 0;    // sigma of the factor by which remembered durations are off
  double history_stale = 0;    // part of the tests whose remembered duration is another test's
  double history_missing = 0;  // part of the tests that are not remembered
  double mean_group = 0;       // tests in a group; 0: no groups
  double deaths = 0;  // of each server, on average, in the time that the run takes at least
  std::uint64_t seed = 1;
};

[[nodiscard]] Workload make_workload(const WorkloadOptions& options);

// No schedule of the tests on these servers, none of which dies, is shorter.
[[nodiscard]] Time lower_bound(const Workload& workload);

}  // namespace hearth::simulation
