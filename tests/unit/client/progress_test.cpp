#include "client/show/progress.hpp"

#include <doctest/doctest.h>

#include "client/text.hpp"

using namespace hearth::client;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

namespace {

constexpr SteadyTime now{std::chrono::hours(1)};

Snapshot snapshot() {
  Snapshot shot;
  shot.counts = {200, 50, 47, 1, 2, 0};
  shot.running = {{"p.Suite.slow", now - 75s}, {"p.Suite.quick", now - 1200ms}};
  shot.elapsed = 9s;
  shot.now = now;
  shot.remaining = 65s;
  return shot;
}

ProgressLook look(std::size_t columns, std::size_t rows, std::optional<double> rate = {}) {
  return {columns, rows, rate, Paint()};
}

}  // namespace

TEST_CASE("Progress: counts, rate, time, time left; then what runs with its age, the slow marked") {
  CHECK(render_progress(snapshot(), look(100, 10, 5.5)) ==
        Lines{"[########.........................] 50/200  47 passed, 1 failed, 2 skipped  "
              "5.5/s  9 s  ETA 1:05 min",
              "  1:15 min! p.Suite.slow", "       1 s  p.Suite.quick"});
}

TEST_CASE("Progress: a test that takes longer than the last time says how long that was") {
  auto shot = snapshot();
  shot.running = {{"a", now - 5s, 0, 1s}, {"b", now - 5s, 0, 4s}};
  const auto lines = render_progress(shot, look(80, 10));
  CHECK(lines[1] == "       5 s! a  (1.0 s the last time)");
  CHECK(lines[2] == "       5 s  b");
}

TEST_CASE("Progress: a narrow terminal has less of it, failures and time left to the last") {
  const auto head = [](std::size_t columns) {
    return render_progress(snapshot(), look(columns, 1, 123.4))[0];
  };
  CHECK(head(72) == "50/200  47 passed, 1 failed, 2 skipped  123/s  9 s  ETA 1:05 min");
  CHECK(head(60) == "50/200  47 passed, 1 failed, 2 skipped  9 s  ETA 1:05 min");
  CHECK(head(40) == "50/200  1 failed  9 s  ETA 1:05 min");
  CHECK(head(31) == "50/200  1 failed  ETA 1:05 min");
  CHECK(head(20) == "50/200  1 failed  E…");
}

TEST_CASE("Progress: nothing is wider than the terminal, coloured or not") {
  auto shot = snapshot();
  shot.running.push_back({"測試測試測試測試", now - 3s, 0, 1ms});
  for (std::size_t columns = 0; columns < 120; ++columns) {
    const auto plain = render_progress(shot, look(columns, 10, 12));
    auto colored_look = look(columns, 10, 12);
    colored_look.paint = Paint(true);
    const auto colored = render_progress(shot, colored_look);
    REQUIRE(colored.size() == plain.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      CHECK(display_width(plain[i]) <= columns);
      CHECK(plain_width(colored[i]) == display_width(plain[i]));
    }
  }
}

TEST_CASE("Progress: of a long id the end is shown") {
  auto shot = snapshot();
  shot.running = {{"program.Suite.ATestWithALongName", now}};
  CHECK(render_progress(shot, look(20, 2))[1] == "0 s  …tWithALongName");
}

TEST_CASE("Progress: there are never more lines than rows, and what is left out is counted") {
  auto shot = snapshot();
  for (int i = 0; i < 10; ++i) shot.running.push_back({"p.Suite.another", now});
  CHECK(render_progress(shot, look(80, 0)).empty());
  for (std::size_t rows = 1; rows < 20; ++rows) {
    CAPTURE(rows);
    const auto lines = render_progress(shot, look(80, rows));
    CHECK(lines.size() == std::min<std::size_t>(rows, 13));
  }
  CHECK(render_progress(shot, look(80, 2)).back() == "            12 running");
  CHECK(render_progress(shot, look(80, 5)).back() == "            and 9 more");
  CHECK(render_progress(shot, look(80, 13)).back() == "       0 s  p.Suite.another");
}

TEST_CASE("Progress: an activity takes the place of counts that mean nothing yet") {
  Snapshot shot;
  shot.activity = "listing the tests";
  shot.elapsed = 1300ms;
  CHECK(render_progress(shot, look(80, 10)) == Lines{"listing the tests  1 s"});
}

TEST_CASE("Progress: a test's id cannot move the cursor") {
  auto shot = snapshot();
  shot.running = {{"evil\x1b[2J\nid", now}};
  CHECK(render_progress(shot, look(80, 10))[1] == "       0 s  evil\\x1b[2J id");
}

TEST_CASE("Progress: counts that are 0 are left out, passed apart") {
  CHECK(counts_text({}) == "0 passed");
  CHECK(counts_text({9, 9, 1, 0, 0, 2}) == "1 passed, 2 expected failures");
  CHECK(counts_text({9, 9, 1, 1, 1, 1, 2, 3}) ==
        "1 passed, 1 failed, 3 lost, 2 flaky, 1 skipped, 1 expected failures");
}

TEST_CASE("Progress: the bar is full only at the end") {
  auto shot = snapshot();
  shot.counts = {200, 199, 199, 0, 0, 0};
  const auto bar = [&] {
    const auto line = render_progress(shot, look(200, 1))[0];
    return line.substr(0, line.find(' '));
  };
  CHECK(bar() == "[" + std::string(39, '#') + ".]");
  shot.counts = {200, 200, 200, 0, 0, 0};
  CHECK(bar() == "[" + std::string(40, '#') + "]");
}

TEST_CASE("Rate meter: tests a second, over the last ten seconds") {
  RateMeter meter;
  CHECK_FALSE(meter.rate());
  meter.add(now, 0);
  meter.add(now + 500ms, 50);
  CHECK_FALSE(meter.rate());
  meter.add(now + 1s, 100);
  CHECK(meter.rate().value_or(0) == doctest::Approx(100));
  for (int i = 2; i <= 100; ++i) meter.add(now + i * 1s, 100 + static_cast<std::size_t>(i));
  CHECK(meter.rate().value_or(0) == doctest::Approx(1));
}
