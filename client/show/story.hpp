// The text of a run that stays: what is printed for each event, and at the end, of what it
// remembers. The same on a terminal and elsewhere, but for colour. Memory: some bytes a test, for
// its times; the text of so many failures.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "client/run/events.hpp"
#include "client/show/color.hpp"
#include "client/show/efficiency.hpp"
#include "client/show/running.hpp"

namespace hearth::client {

struct StoryOptions {
  bool every_result = false;  // a line for every test, not only for those that did not go well
  Paint paint;
  unsigned cpus = 1;  // of this machine
};

class Story {
 public:
  explicit Story(StoryOptions options) : m_options(options) {}

  [[nodiscard]] std::string note(std::string_view line) const;
  void packet(const protocol::PacketView& packet) { m_words.on_packet(packet); }
  // May be empty.
  [[nodiscard]] std::string result(const TestReport& report, SteadyTime now);
  [[nodiscard]] std::string running(const Snapshot& snapshot) const;
  // Failures once more, the flaky and the missing tests, the slowest, how the time was used, the
  // counts.
  [[nodiscard]] std::string end(const Outcome& outcome, SteadyTime now) const;

 private:
  struct Failure {
    std::string id;
    std::string text;
  };
  struct Timed {
    nanoseconds duration;
    std::string id;
  };

  void remember(const TestReport& report);
  void remember_time(const TestReport& report);
  [[nodiscard]] std::string failures_text(const Outcome& outcome) const;
  [[nodiscard]] std::string further_failures(const Outcome& outcome) const;
  [[nodiscard]] std::string flaky_text() const;
  [[nodiscard]] std::string slowest_text() const;
  [[nodiscard]] std::string efficiency(const Outcome& outcome, SteadyTime now) const;
  [[nodiscard]] std::string counts_line(const Outcome& outcome) const;

  StoryOptions m_options;
  LastWords m_words;
  Efficiency m_efficiency;
  std::vector<Failure> m_failures;  // as many as are repeated in full
  std::size_t m_failure_bytes = 0;
  std::vector<std::string> m_flaky;  // lines
  std::size_t m_flaky_count = 0;
  std::vector<Timed> m_slowest;  // slowest first
};

}  // namespace hearth::client
