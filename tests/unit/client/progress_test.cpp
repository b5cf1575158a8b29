#include "client/progress.hpp"

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
  shot.running = {{"p.Suite.slow", now - 75s}, {"p.Suite.quick", now - 120ms}};
  shot.elapsed = 9s;
  shot.now = now;
  return shot;
}

}  // namespace

TEST_CASE("Progress: counts, then what runs with its age") {
  CHECK(render_progress(snapshot(), 80, 10) ==
        Lines{"[#####...............] 50/200  47 passed, 1 failed, 2 skipped  9.0 s",
              "  1:15 min  p.Suite.slow", "     0.1 s  p.Suite.quick"});
}

TEST_CASE("Progress: a narrow terminal has no bar, then cut lines; nothing is wider than it") {
  CHECK(render_progress(snapshot(), 50, 1) ==
        Lines{"50/200  47 passed, 1 failed, 2 skipped  9.0 s"});
  for (std::size_t columns = 0; columns < 90; ++columns)
    for (const auto& line : render_progress(snapshot(), columns, 10))
      CHECK(display_width(line) <= columns);
}

TEST_CASE("Progress: there are never more lines than rows, and what is left out is counted") {
  auto shot = snapshot();
  for (int i = 0; i < 10; ++i) shot.running.push_back({"p.Suite.another", now});
  CHECK(render_progress(shot, 80, 0).empty());
  for (std::size_t rows = 1; rows < 20; ++rows) {
    CAPTURE(rows);
    const auto lines = render_progress(shot, 80, rows);
    CHECK(lines.size() == std::min<std::size_t>(rows, 13));
  }
  CHECK(render_progress(shot, 80, 5).back() == "            and 9 more");
  CHECK(render_progress(shot, 80, 13).back() == "     0.0 s  p.Suite.another");
}

TEST_CASE("Progress: an activity takes the place of counts that mean nothing yet") {
  Snapshot shot;
  shot.activity = "listing the tests";
  shot.elapsed = 300ms;
  CHECK(render_progress(shot, 80, 10) == Lines{"listing the tests  0.3 s"});
}

TEST_CASE("Progress: a test's id cannot move the cursor") {
  auto shot = snapshot();
  shot.running = {{"evil\x1b[2J\nid", now}};
  CHECK(render_progress(shot, 80, 10)[1] == "     0.0 s  evil\\x1b[2J id");
}

TEST_CASE("Progress: counts that are 0 are left out, passed apart") {
  CHECK(counts_text({}) == "0 passed");
  CHECK(counts_text({9, 9, 1, 0, 0, 2}) == "1 passed, 2 expected failures");
}

TEST_CASE("Progress: the bar is full only at the end") {
  auto shot = snapshot();
  shot.counts = {200, 199, 199, 0, 0, 0};
  CHECK(render_progress(shot, 80, 1)[0].starts_with("[###################.] "));
  shot.counts = {200, 200, 200, 0, 0, 0};
  CHECK(render_progress(shot, 80, 1)[0].starts_with("[####################] "));
}
