#include "client/show/progress.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "client/show/slow.hpp"
#include "client/text.hpp"

namespace hearth::client {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t least_bar = 10;  // columns, without its brackets
constexpr std::size_t most_bar = 40;
constexpr std::size_t wide = 50;  // columns: where ages stand in a column of their own
constexpr std::size_t age_columns = 10;
constexpr auto rate_window = 10s;

struct CountName {
  std::size_t Counts::*count;
  const char* name;
  Style style;
};
constexpr std::array<CountName, 7> count_names{{
    {&Counts::passed, " passed", Style::plain},
    {&Counts::failed, " failed", Style::bad},
    {&Counts::lost, " lost", Style::bad},
    {&Counts::unasked_failures, " failed besides", Style::bad},
    {&Counts::flaky, " flaky", Style::warning},
    {&Counts::skipped, " skipped", Style::plain},
    {&Counts::xfailed, " expected failures", Style::plain},
}};

std::string rate_text(double rate) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), rate < 10 ? "%.1f/s" : "%.0f/s", rate);
  return text.data();
}

// What a head line has, from the first thing given up on a narrow screen to the last.
struct HeadParts {
  bool bar = true;
  bool rate = true;
  bool good_counts = true;
  bool elapsed = true;
  bool remaining = true;
};

void add_counts(StyledLine& line, const Counts& counts, bool good) {
  bool first = true;
  for (const auto& [count, name, style] : count_names) {
    const bool shown = style == Style::plain
                           ? good && (counts.*count != 0 || count == &Counts::passed)
                           : counts.*count != 0;
    if (!shown) continue;
    line.add(first ? "  " : ", ").add(std::to_string(counts.*count) + name, style);
    first = false;
  }
}

StyledLine head_text(const Snapshot& snapshot, const ProgressLook& look, const HeadParts& parts) {
  const auto& counts = snapshot.counts;
  StyledLine line;
  line.add(std::to_string(counts.done) + "/" + std::to_string(counts.expected));
  add_counts(line, counts, parts.good_counts);
  if (parts.rate && look.rate) line.add("  " + rate_text(*look.rate));
  if (parts.elapsed) line.add("  " + clock_text(snapshot.elapsed));
  if (parts.remaining && snapshot.remaining) line.add("  ETA " + clock_text(*snapshot.remaining));
  return line;
}

StyledLine with_bar(const Counts& counts, std::size_t columns, const StyledLine& text) {
  const auto filled =
      counts.expected == 0 ? 0 : std::min(counts.done, counts.expected) * columns / counts.expected;
  const bool bad = counts.failed + counts.unasked_failures + counts.lost != 0;
  StyledLine line;
  line.add("[").add(std::string(filled, '#'), bad ? Style::bad : Style::good);
  line.add(std::string(columns - filled, '.')).add("] ");
  return line.add(text);
}

std::string head_line(const Snapshot& snapshot, const ProgressLook& look) {
  if (!snapshot.activity.empty())
    return fitted(printable_line(snapshot.activity) + "  " + clock_text(snapshot.elapsed),
                  look.columns);
  constexpr std::array<HeadParts, 5> ways{
      {{},
       {.bar = false},
       {.bar = false, .rate = false},
       {.bar = false, .rate = false, .good_counts = false},
       {.bar = false, .rate = false, .good_counts = false, .elapsed = false}}};
  StyledLine line;
  for (const auto& parts : ways) {
    line = head_text(snapshot, look, parts);
    const auto room = look.columns - std::min(look.columns, line.width() + 3);
    if (parts.bar && room < least_bar) continue;
    if (parts.bar) line = with_bar(snapshot.counts, std::min(room, most_bar), line);
    if (line.width() <= look.columns) break;
  }
  return line.text(look.columns, look.paint);
}

std::string running_line(const RunningTest& test, SteadyTime now, const ProgressLook& look) {
  const auto taken = now - test.since;
  const bool slow = is_slow(taken, test.expected);
  auto age = clock_text(taken) + (slow ? "!" : " ");
  if (look.columns >= wide && age.size() < age_columns + 1)
    age.insert(0, age_columns + 1 - age.size(), ' ');
  StyledLine line;
  line.add(age + " ", slow ? Style::warning : Style::plain);
  const auto room = look.columns - std::min(look.columns, line.width());
  const auto id = printable_line(test.id);
  line.add(fitted_end(id, room));
  if (slow && test.expected) line.add("  (" + duration_text(*test.expected) + " the last time)");
  return line.text(look.columns, look.paint);
}

}  // namespace

std::vector<std::string> render_progress(const Snapshot& snapshot, const ProgressLook& look) {
  std::vector<std::string> lines;
  if (look.rows == 0) return lines;
  lines.push_back(head_line(snapshot, look));
  const auto& running = snapshot.running;
  const bool all_fit = running.size() <= look.rows - 1;
  // The last row tells how many more there are.
  const auto shown = all_fit ? running.size() : look.rows - std::min<std::size_t>(look.rows, 2);
  for (std::size_t i = 0; i < shown; ++i)
    lines.push_back(running_line(running[i], snapshot.now, look));
  if (!all_fit && look.rows > 1) {
    const auto more = std::to_string(running.size() - shown) + (shown == 0 ? " running" : " more");
    const std::string margin(look.columns >= wide ? age_columns + 2 : 0, ' ');
    lines.push_back(fitted(margin + (shown == 0 ? "" : "and ") + more, look.columns));
  }
  return lines;
}

std::string counts_text(const Counts& counts) {
  std::string text;
  for (const auto& [count, name, style] : count_names) {
    if (counts.*count == 0 && count != &Counts::passed) continue;
    text += (text.empty() ? "" : ", ") + std::to_string(counts.*count) + name;
  }
  return text;
}

void RateMeter::add(SteadyTime now, std::size_t done) {
  m_samples.push_back({now, done});
  while (m_samples.size() > 2 && now - m_samples.front().at > rate_window) m_samples.pop_front();
}

std::optional<double> RateMeter::rate() const {
  if (m_samples.size() < 2) return std::nullopt;
  const auto& [first, done_first] = m_samples.front();
  const auto& [last, done_last] = m_samples.back();
  if (last - first < 1s || done_last < done_first) return std::nullopt;
  return static_cast<double>(done_last - done_first) /
         std::chrono::duration<double>(last - first).count();
}

}  // namespace hearth::client
