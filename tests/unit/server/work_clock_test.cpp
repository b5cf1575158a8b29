#include "server/work_clock.hpp"

#include <doctest/doctest.h>

using namespace hearth::server;
using namespace std::chrono_literals;

namespace {

constexpr SteadyTime start{1h};

}  // namespace

TEST_CASE("WorkClock: it goes like the other one until it is stopped") {
  const WorkClock clock;
  CHECK(clock.at(start + 5s) - clock.at(start) == 5s);
}

TEST_CASE("WorkClock: while it is stopped no time passes") {
  WorkClock clock;
  const SteadyTime begun = clock.at(start);
  clock.stop(start + 1s);
  CHECK(clock.at(start + 1s) - begun == 1s);
  CHECK(clock.at(start + 10h) - begun == 1s);
  clock.stop(start + 2s);  // it was stopped before
  CHECK(clock.at(start + 10h) - begun == 1s);
}

TEST_CASE("WorkClock: a limit of 2 s that a suspension of an hour interrupts takes 2 s of work") {
  WorkClock clock;
  const SteadyTime begun = clock.at(start);
  const auto over = [&](SteadyTime now) { return clock.at(now) - begun >= 2s; };
  clock.stop(start + 1900ms);
  CHECK_FALSE(over(start + 1h));
  clock.go_on(start + 1h + 1900ms);
  CHECK_FALSE(over(start + 1h + 1999ms));
  CHECK(over(start + 1h + 2s));
}

TEST_CASE("WorkClock: suspensions add up") {
  WorkClock clock;
  const SteadyTime begun = clock.at(start);
  for (int i = 0; i < 3; ++i) {
    const SteadyTime then = start + i * 11s;
    clock.stop(then + 1s);
    clock.go_on(then + 11s);
  }
  clock.go_on(start + 40s);  // it goes
  CHECK(clock.at(start + 40s) - begun == 10s);
}
