#include "client/show/running.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/packets.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;

TEST_CASE(
    "Running now: each test with its age, what it took the last time, and what it said last") {
  LastWords words;
  words.on_packet(test::file("p.S.a", "stdout", "first\nsecond\n"));
  words.on_packet(test::file("p.S.a", "stderr", "third\n\n"));
  words.on_packet(test::file("p.S.b", "traceback", "not output"));
  Snapshot shot;
  shot.now = SteadyTime(100s);
  shot.elapsed = 99s;
  shot.counts = {10, 3, 3};
  shot.running = {{"p.S.a", SteadyTime(10s), 0, 2s}, {"p.S.b", SteadyTime(99s)}};
  CHECK(what_runs_now(shot, words) ==
        "Running now, after 1:39 min: 2 tests; 3/10 done, 3 passed\n"
        "  1:30 min  p.S.a  SLOW, 2.0 s the last time\n"
        "      said last: third\n"
        "  1.0 s  p.S.b\n");
  shot.running[1].worker = 1;
  CHECK(what_runs_now(shot, words).find("  1.0 s  p.S.b  (server 1)\n") != std::string::npos);
}

TEST_CASE("Running now: before there are tests, what goes on") {
  Snapshot shot;
  shot.activity = "listing the tests";
  CHECK(what_runs_now(shot, {}) == "Running now, after 0.0 s: listing the tests\n");
}

TEST_CASE(
    "Last words: a line is put together, the last one kept, a bounded part of it, until the "
    "result") {
  LastWords words;
  const auto say = [&](std::string_view text) { words.on_packet(test::file("a", "stdout", text)); };
  CHECK(words.of("a").empty());
  say("one\ntw");
  CHECK(words.of("a") == "tw");
  say("o");
  CHECK(words.of("a") == "two");
  say("\n");
  CHECK(words.of("a") == "two");
  say("\n\n");
  CHECK(words.of("a") == "two");
  say("three\r\n");
  CHECK(words.of("a") == "three");
  say(std::string(1'000'000, 'x'));
  CHECK(words.of("a").size() == 300);
  TestReport report;
  report.id = "a";
  words.on_result(report);
  CHECK(words.of("a").empty());
}
