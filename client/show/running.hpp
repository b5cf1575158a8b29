// What runs at a moment, for those who ask (the key `t`, SIGUSR1), with what each test said last.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "client/run/events.hpp"

namespace hearth::client {

// The last line that each running test wrote to stdout or stderr.
class LastWords {
 public:
  void on_packet(const protocol::PacketView& packet);
  void on_result(const TestReport& report);
  // As its bytes came, its beginning cut off where it is long; empty: nothing yet.
  [[nodiscard]] std::string_view of(std::string_view id) const;

 private:
  std::map<std::string, std::string, std::less<>> m_lines;  // of tests that run
};

// A line for each, oldest first: since when, expected time, server, and what it said last.
[[nodiscard]] std::string what_runs_now(const Snapshot& snapshot, const LastWords& words);

}  // namespace hearth::client
