#include "client/show/efficiency.hpp"

#include <algorithm>
#include <cmath>

#include "client/text.hpp"

namespace hearth::client {

using namespace std::chrono_literals;

namespace {

constexpr double most_of_it = 0.8;  // of the time: one thing is to blame
constexpr double much_of_it = 0.3;  // of the time: worth a word
constexpr double kept_busy = 0.85;  // of the slots' time
constexpr double cpu_bound = 0.7;   // of the tests' time
constexpr auto short_test = 20ms;   // below, starting it is a good part of its price

double share(nanoseconds part, nanoseconds whole) {
  if (whole <= 0ns) return 0;
  return std::chrono::duration<double>(part) / std::chrono::duration<double>(whole);
}

std::string percent(double share) {
  return std::to_string(std::lround(100 * std::min(share, 1.0))) + "%";
}

std::string of_wall(nanoseconds part, const EfficiencyFigures& figures) {
  return duration_text(part) + " of " + duration_text(figures.wall);
}

nanoseconds slots_time(const EfficiencyFigures& figures) {
  return static_cast<std::int64_t>(figures.slots) * figures.wall;
}

nanoseconds window(const EfficiencyFigures& figures) {
  return figures.wall - figures.before_first - figures.after_last;
}

// The slots were full: what would help is up to what the tests did in them.
std::string busy_sentence(const EfficiencyFigures& figures, double used, unsigned cpus) {
  const auto slots = figures.slots == 1
                         ? "One test ran at a time, "
                         : "Tests kept all " + std::to_string(figures.slots) + " slots busy ";
  const auto sentence = slots + percent(used) + " of the time";
  const bool needs_cpu = figures.cpu && share(*figures.cpu, figures.busy) >= cpu_bound;
  if (needs_cpu && figures.slots >= cpus)
    return sentence +
           " and used the CPU for most of it: more CPUs would help, more slots would not.";
  return sentence + ": more slots (--jobs) would help.";
}

}  // namespace

void Efficiency::add(const TestReport& report, SteadyTime arrived) {
  const auto duration = report.duration();
  if (!duration || *duration < 0ns) return;
  const auto start = report.started_at->time_since_epoch().count();
  const auto end = report.ended_at->time_since_epoch().count();
  const Span span{start, end, report.worker};
  const auto offset = nanoseconds(arrived.time_since_epoch()).count() - end;
  const auto known = m_offsets.try_emplace(report.worker, offset).first;
  known->second = std::min(known->second, offset);
  const auto length = [](const Span& one) { return one.end - one.start; };
  if (m_spans.empty() || length(span) > length(m_spans[m_longest])) {
    m_longest = m_spans.size();
    m_longest_id = report.id;
  }
  m_last = m_spans.size();  // results arrive in the order in which tests end, or nearly so
  m_last_id = report.id;
  m_spans.push_back(span);
}

std::optional<EfficiencyFigures> Efficiency::figures(const Outcome& outcome, SteadyTime now) const {
  if (m_spans.empty()) return std::nullopt;
  EfficiencyFigures figures;
  figures.wall = outcome.elapsed;
  figures.cpu = outcome.cpu;
  figures.tests = m_spans.size();
  for (const auto& span : m_spans) figures.busy += nanoseconds(span.end - span.start);
  const auto length = [&](std::size_t i) { return nanoseconds(m_spans[i].end - m_spans[i].start); };
  figures.longest_id = m_longest_id;
  figures.longest = length(m_longest);
  figures.last_id = m_last_id;
  figures.last = length(m_last);
  place(figures, now - outcome.elapsed, now);
  figures.idle = std::max(0ns, slots_time(figures) - figures.busy);
  return figures;
}

// Where on this machine's clock the tests ran, and how many at once.
void Efficiency::place(EfficiencyFigures& figures, SteadyTime begin, SteadyTime now) const {
  const auto origin = nanoseconds(begin.time_since_epoch()).count();
  std::vector<std::int64_t> starts;
  std::vector<std::int64_t> ends;
  starts.reserve(m_spans.size());
  ends.reserve(m_spans.size());
  for (const auto& span : m_spans) {
    const auto offset = m_offsets.at(span.worker) - origin;
    starts.push_back(span.start + offset);
    ends.push_back(span.end + offset);
  }
  figures.longest_start = nanoseconds(starts[m_longest]);
  std::sort(starts.begin(), starts.end());
  std::sort(ends.begin(), ends.end());
  // One that starts at the moment in which another ends has its slot.
  std::size_t ended = 0;
  std::int64_t last_full = 0;
  for (std::size_t started = 0; started < starts.size(); ++started) {
    while (ends[ended] <= starts[started] && ended < started) {
      if (started - ended == figures.slots) last_full = ends[ended];
      ++ended;
    }
    figures.slots = std::max(figures.slots, started + 1 - ended);
  }
  if (starts.size() - ended == figures.slots) last_full = ends[ended];
  figures.before_first = std::clamp(nanoseconds(starts.front()), 0ns, figures.wall);
  figures.after_last = std::clamp(nanoseconds((now - begin)) - nanoseconds(ends.back()), 0ns,
                                  figures.wall - figures.before_first);
  figures.tail = std::max(0ns, nanoseconds(ends.back() - last_full));
}

std::string efficiency_text(const EfficiencyFigures& figures) {
  const auto slots = std::to_string(figures.slots);
  auto text = "at most " + counted(figures.slots, "test") + " at once; busy " +
              duration_text(figures.busy) + " (" +
              percent(share(figures.busy, slots_time(figures))) + " of " + slots + " x " +
              duration_text(figures.wall) + "), idle " + duration_text(figures.idle);
  if (figures.cpu) text += ", CPU " + duration_text(*figures.cpu);
  return text + ", tail " + duration_text(figures.tail) + ", longest test " +
         duration_text(figures.longest);
}

std::string limit_sentence(const EfficiencyFigures& figures, unsigned cpus) {
  const auto longest = printable_line(figures.longest_id);
  if (share(figures.longest, figures.wall) >= most_of_it) {
    if (figures.tests == 1) return "There was one test to wait for, " + longest + ".";
    return "The longest test, " + longest + ", took " + of_wall(figures.longest, figures) +
           ": more parallelism will not help.";
  }
  if (share(figures.before_first, figures.wall) >= much_of_it)
    return of_wall(figures.before_first, figures) +
           " went by before the first test started: loading the programs limits.";
  if (share(figures.after_last, figures.wall) >= much_of_it)
    return of_wall(figures.after_last, figures) +
           " went by after the last test had ended: tear-down limits.";
  const auto used = share(figures.busy, static_cast<std::int64_t>(figures.slots) * window(figures));
  if (figures.slots > 1 && share(figures.tail, figures.wall) >= much_of_it)
    return "For the last " + of_wall(figures.tail, figures) + " fewer than " +
           std::to_string(figures.slots) + " tests ran, until " + printable_line(figures.last_id) +
           " (" + duration_text(figures.last) +
           ") was done: starting long tests earlier, or splitting them, would help.";
  if (used >= kept_busy) return busy_sentence(figures, used, cpus);
  const auto average = figures.busy / static_cast<std::int64_t>(figures.tests);
  const auto idle = "Between tests the slots stood idle " + percent(1 - used) + " of the time";
  if (average < short_test)
    return idle + ": with " + duration_text(average) +
           " for a test on average, starting them limits.";
  return idle +
         ": groups of tests that run together, or the time between client and server, limit.";
}

}  // namespace hearth::client
