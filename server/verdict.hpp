// The final status of one execution: what the framework said, weighed with how the process ended.
// Pure. A pass is proved, never assumed: it takes the framework's own verdict and a process that
// ended as we end it.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::server {

struct LeftProcess {
  std::uint64_t pid;
  std::string command;
};

// What is known of an execution that is over.
struct Evidence {
  std::optional<protocol::TestStatus> verdict;         // the framework's; nullopt: it gave none
  std::optional<int> wait_status;                      // as wait4(2) gives it; nullopt: not known
  std::optional<std::chrono::milliseconds> timed_out;  // the limit it ran into
  std::string trouble;            // a cause from outside: the zygote was lost, set-up failed
  std::vector<LeftProcess> left;  // processes that it left behind
  bool leaks_fail = false;
  std::string words;  // what its program, and its suite, printed before the test
};

struct Judgement {
  protocol::TestStatus status;
  std::string
      cause;  // text for `traceback`, on top of what the framework said; empty: nothing to add
  std::string left;  // text that names the processes left behind; empty: none
};

[[nodiscard]] Judgement judge(const Evidence& evidence);

// "1.5 s".
[[nodiscard]] std::string describe_time(std::chrono::milliseconds time);

}  // namespace hearth::server
