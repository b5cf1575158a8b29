#include "client/progress.hpp"

#include <algorithm>

#include "client/text.hpp"

namespace hearth::client {
namespace {

constexpr std::size_t bar_columns = 20;
constexpr std::size_t age_columns = 10;

std::string bar(const Counts& counts) {
  const auto filled = counts.expected == 0 ? 0 : counts.done * bar_columns / counts.expected;
  std::string text = "[";
  for (std::size_t i = 0; i < bar_columns; ++i) text += i < filled ? "#" : ".";
  return text + "] ";
}

std::string head_line(const Snapshot& snapshot, std::size_t columns) {
  const auto elapsed = age_text(snapshot.elapsed);
  if (!snapshot.activity.empty()) return fitted(snapshot.activity + "  " + elapsed, columns);
  const auto& counts = snapshot.counts;
  const auto text = std::to_string(counts.done) + "/" + std::to_string(counts.expected) + "  " +
                    counts_text(counts) + "  " + elapsed;
  const auto with_bar = bar(counts) + text;
  return fitted(display_width(with_bar) <= columns ? with_bar : text, columns);
}

std::string running_line(const RunningTest& test, SteadyTime now, std::size_t columns) {
  auto age = age_text(now - test.since);
  if (age.size() < age_columns) age.insert(0, age_columns - age.size(), ' ');
  return fitted(age + "  " + printable_line(test.id), columns);
}

}  // namespace

std::vector<std::string> render_progress(const Snapshot& snapshot, std::size_t columns,
                                         std::size_t rows) {
  std::vector<std::string> lines;
  if (rows == 0) return lines;
  lines.push_back(head_line(snapshot, columns));
  const auto& running = snapshot.running;
  const bool all_fit = running.size() <= rows - 1;
  // The last row tells how many more there are.
  const auto shown = all_fit ? running.size() : rows - std::min<std::size_t>(rows, 2);
  for (std::size_t i = 0; i < shown; ++i)
    lines.push_back(running_line(running[i], snapshot.now, columns));
  if (!all_fit && rows > 1)
    lines.push_back(
        fitted("            and " + std::to_string(running.size() - shown) + " more", columns));
  return lines;
}

std::string counts_text(const Counts& counts) {
  auto text = std::to_string(counts.passed) + " passed";
  const auto add = [&](std::size_t count, const char* what) {
    if (count != 0) text += ", " + std::to_string(count) + " " + what;
  };
  add(counts.failed, "failed");
  add(counts.skipped, "skipped");
  add(counts.xfailed, "expected failures");
  return text;
}

}  // namespace hearth::client
