#include "client/display.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;
using hearth::protocol::TestStatus;

namespace {

// Just enough of a terminal to see what is left on it: lines, "up N", "erase to the end".
class Screen {
 public:
  Writer writer() {
    return [this](std::string_view text) { write(text); };
  }
  [[nodiscard]] std::string text() const {
    std::string all;
    for (const auto& line : m_lines) all += line + "\n";
    return all;
  }

 private:
  void write(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("\x1b[J")) {
        text.remove_prefix(3);
        m_lines.resize(m_row);
      } else if (text.starts_with("\x1b[")) {
        const auto end = text.find('A');
        REQUIRE(end != std::string_view::npos);
        const auto up = std::stoul(std::string(text.substr(2, end - 2)));
        REQUIRE(up <= m_row);
        m_row -= up;
        text.remove_prefix(end + 1);
      } else if (text.starts_with('\r')) {
        text.remove_prefix(1);
      } else {
        const auto end = text.find('\n');
        REQUIRE(end != std::string_view::npos);
        REQUIRE(m_row == m_lines.size());  // only erased lines are written again
        m_lines.emplace_back(text.substr(0, end));
        ++m_row;
        text.remove_prefix(end + 1);
      }
    }
  }

  std::vector<std::string> m_lines;
  std::size_t m_row = 0;
};

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

}  // namespace

TEST_CASE("Terminal display: failures stay above the live lines, which are redrawn in place") {
  Screen screen;
  TerminalDisplay display(
      screen.writer(),
      [] {
        return DisplaySize{80, 24};
      },
      false);
  display.progress(snapshot(1, {{"a", {}}, {"b", {}}}));
  display.result(report("x", TestStatus::fail), {});
  display.result(report("y", TestStatus::success), {});
  display.note("a note");
  CHECK(screen.text() ==
        "[....................] 1/100  1 passed  0.0 s\n     0.0 s  a\n     0.0 s  b\n");
  display.progress(snapshot(2, {{"b", {}}}));
  CHECK(screen.text() ==
        "FAIL   x\na note\n[....................] 2/100  2 passed  0.0 s\n     0.0 s  b\n");
  display.result(report("z", TestStatus::fail), {});
  display.finish("the end\n");
  CHECK(screen.text() == "FAIL   x\na note\nFAIL   z\nthe end\n");
}

TEST_CASE("Terminal display: the live part fits the screen, however small it is") {
  for (std::size_t rows : {1, 2, 3, 24}) {
    for (std::size_t columns : {1, 2, 40}) {
      Screen screen;
      TerminalDisplay display(
          screen.writer(),
          [=] {
            return DisplaySize{columns, rows};
          },
          false);
      display.progress(snapshot(1, std::vector<RunningTest>(50, RunningTest{"a", {}})));
      const auto text = screen.text();
      const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
      CHECK(lines <= std::max<std::size_t>(rows - 1, 1));
      display.finish({});
      CHECK(screen.text().empty());
    }
  }
}

TEST_CASE(
    "Plain display: failures, and a line for each tenth; the same results give the same lines") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, false);
  Counts counts{20, 0, 0, 0, 0, 0};
  for (int i = 1; i <= 20; ++i) {
    ++counts.done;
    ++(i == 3 ? counts.failed : counts.passed);
    display.result(report("t" + std::to_string(i), i == 3 ? TestStatus::fail : TestStatus::success),
                   counts);
    display.progress(snapshot(static_cast<std::size_t>(i)));
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
  PlainDisplay display([&](std::string_view piece) { text += piece; }, true);
  display.result(report("a", TestStatus::success), {100, 10, 10, 0, 0, 0});
  display.result(report("b", TestStatus::skip), {100, 11, 10, 0, 1, 0});
  CHECK(text == "PASS   a\nSKIP   b\n");
}

TEST_CASE("Plain display: a note's control characters are made visible") {
  std::string text;
  PlainDisplay display([&](std::string_view piece) { text += piece; }, true);
  display.note("bad \x1b[0m");
  CHECK(text == "bad \\x1b[0m\n");
}
