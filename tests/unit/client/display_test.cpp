#include "client/show/display.hpp"

#include <doctest/doctest.h>

#include "tests/unit/client/screen.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using hearth::client::test::Screen;
using hearth::protocol::TestStatus;

namespace {

TestReport report(std::string id, TestStatus status) {
  TestReport made;
  made.id = std::move(id);
  made.status = status;
  return made;
}

Snapshot snapshot(std::size_t done, std::vector<RunningTest> running = {}) {
  Snapshot shot;
  shot.counts = {100, done, done, 0, 0, 0};
  shot.running = std::move(running);
  return shot;
}

// A terminal of a size that may change, and a display on it.
struct Shown {
  Screen screen;
  DisplaySize size{60, 24};
  TerminalDisplay display{screen.writer(), [this] { return size; }, StoryOptions{}};
};

}  // namespace

TEST_CASE("Terminal display: failures stay above the live lines, which are redrawn in place") {
  Shown shown;
  auto& [screen, size, display] = shown;
  display.on_tick(snapshot(1, {{"a", {}}, {"b", {}}}));
  display.on_result(report("x", TestStatus::fail), {});
  display.on_result(report("y", TestStatus::success), {});
  display.on_note("a note");
  CHECK(screen.text() ==
        "[....................................] 1/100  1 passed  0 s\n"
        "       0 s  a\n       0 s  b\n");
  display.on_tick(snapshot(2, {{"b", {}}}));
  CHECK(screen.text() ==
        "FAIL   x\na note\n"
        "[....................................] 2/100  2 passed  0 s\n"
        "       0 s  b\n");
  display.on_result(report("z", TestStatus::fail), {});
  display.finish("the end\n");
  CHECK(screen.text() == "FAIL   x\na note\nFAIL   z\nthe end\n");
}

TEST_CASE("Terminal display: the live part fits the screen, however small it is") {
  for (const std::size_t rows : {1, 2, 3, 5, 24}) {
    for (const std::size_t columns : {1, 2, 20, 40}) {
      CAPTURE(rows);
      CAPTURE(columns);
      Shown shown;
      shown.size = {columns, rows};
      shown.display.on_tick(snapshot(1, std::vector<RunningTest>(50, RunningTest{"a", {}})));
      CHECK(shown.screen.lines() <= rows - 1);
      CHECK(shown.screen.widest() < columns);
      shown.display.finish({});
      CHECK(shown.screen.text().empty());
    }
  }
}

TEST_CASE("Terminal display: nothing is written where nothing has changed; a frame is one write") {
  Shown shown;
  auto& [screen, size, display] = shown;
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.writes() == 1);
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.writes() == 1);
  display.on_result(report("x", TestStatus::fail), {});
  display.on_result(report("y", TestStatus::fail), {});
  CHECK(screen.writes() == 1);
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.writes() == 2);
  size.columns = 50;
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.writes() == 3);
}

TEST_CASE("Terminal display: a terminal that wraps what no longer fits has all of it erased") {
  for (const std::size_t columns : {59, 30, 29, 20, 12, 7}) {
    CAPTURE(columns);
    Shown shown;
    auto& [screen, size, display] = shown;
    display.on_note("above");
    display.on_tick(snapshot(1, {{"a.rather.long.name.of.a.test.that.is.long", {}}, {"b", {}}}));
    size.columns = columns;
    screen.reflow(columns);
    display.on_tick(snapshot(1, {{"b", {}}}));
    CHECK(screen.text().starts_with("above\n"));
    CHECK(screen.lines() == 3);
    display.finish("end\n");
    CHECK(screen.text() == "above\nend\n");
  }
}

TEST_CASE(
    "Terminal display: suspended, it has nothing live on the screen, and draws it anew after") {
  Shown shown;
  auto& [screen, size, display] = shown;
  display.on_tick(snapshot(1, {{"a", {}}}));
  display.on_note("a note");
  display.on_suspend();
  CHECK(screen.text() == "a note\n");
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.text() == "a note\n");
  display.on_resume();
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.lines() == 3);
}

TEST_CASE("Terminal display: who asks is told what runs, above the live part") {
  Shown shown;
  auto& [screen, size, display] = shown;
  display.on_asked(snapshot(1, {{"a", {}}}));
  display.on_tick(snapshot(1, {{"a", {}}}));
  CHECK(screen.text().starts_with("Running now, after 0.0 s: 1 test; 1/100 done, 1 passed\n"));
  CHECK(screen.lines() == 4);
}

TEST_CASE(
    "Terminal display: what comes after the end is written at once; dropped, it leaves nothing "
    "live") {
  Screen screen;
  {
    TerminalDisplay display(
        screen.writer(),
        [] {
          return DisplaySize{60, 24};
        },
        StoryOptions{});
    display.on_tick(snapshot(1, {{"a", {}}}));
    display.on_note("last");
  }
  CHECK(screen.text() == "last\n");
  Shown shown;
  shown.display.finish("end\n");
  shown.display.on_note("after");
  CHECK(shown.screen.text() == "end\nafter\n");
}

TEST_CASE(
    "Plain display: failures, and a line for each tenth; the same results give the same lines") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, StoryOptions{});
  Counts counts{20, 0, 0, 0, 0, 0};
  for (int i = 1; i <= 20; ++i) {
    ++counts.done;
    ++(i == 3 ? counts.failed : counts.passed);
    display.on_result(
        report("t" + std::to_string(i), i == 3 ? TestStatus::fail : TestStatus::success), counts);
    display.on_tick(snapshot(static_cast<std::size_t>(i)));
  }
  display.finish("end\n");
  CHECK(
      text ==
      "2/20  2 passed\nFAIL   t3\n4/20  3 passed, 1 failed\n6/20  5 passed, 1 failed\n"
      "8/20  7 passed, 1 failed\n10/20  9 passed, 1 failed\n12/20  11 passed, 1 failed\n"
      "14/20  13 passed, 1 failed\n16/20  15 passed, 1 failed\n18/20  17 passed, 1 failed\nend\n");
}

TEST_CASE("Plain display: when asked to, every result is a line") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, StoryOptions{true});
  display.on_result(report("a", TestStatus::success), {100, 10, 10, 0, 0, 0});
  display.on_result(report("b", TestStatus::skip), {100, 11, 10, 0, 1, 0});
  CHECK(text == "PASS   a\nSKIP   b\n");
}

TEST_CASE("Plain display: a note's control characters are made visible") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, StoryOptions{});
  display.on_note("bad \x1b[0m");
  CHECK(text == "bad \\x1b[0m\n");
}

TEST_CASE(
    "Plain display: a test that has become slow is a line, and again when it is twice as old") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, StoryOptions{});
  auto shot = snapshot(1, {{"a", SteadyTime(0s), 0, 1s}, {"b", SteadyTime(0s)}});
  const auto tick = [&](std::chrono::seconds at) {
    shot.now = SteadyTime(at);
    text.clear();
    display.on_tick(shot);
    return text;
  };
  CHECK(tick(3s).empty());
  CHECK(tick(4s) == "SLOW   a  4 s so far, 1.0 s the last time\n");
  CHECK(tick(5s).empty());
  CHECK(tick(8s) == "SLOW   a  8 s so far, 1.0 s the last time\n");
  CHECK(tick(60s) == "SLOW   a  1:00 min so far, 1.0 s the last time\n");
  CHECK(tick(61s) == "SLOW   b  1:01 min so far\n");
}

TEST_CASE("Display: a run in which nothing was asked for and nothing came has no summary") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, StoryOptions{});
  display.on_end(Outcome{});
  CHECK(text.empty());
  Outcome outcome;
  outcome.counts = {1, 1, 1};
  display.on_end(outcome);
  CHECK(text == "\n1 passed in 0.000 s\n");
}
