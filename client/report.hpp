// What a run prints for people: each failure, the summary, and the exit code that says the same.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/run_model.hpp"

namespace hearth::client {

// The exit codes of `hearth list`, `hearth run` and `hearth check`.
enum class ExitCode : int {
  success = 0,
  failures = 1,
  trouble = 2,          // usage, set-up
  results_missing = 3,  // a server was lost, or it left out results
  nothing_selected = 4,
  interrupted = 130,
};

struct FailedTest {
  std::string id;
  std::string cause;  // one line; may be empty
};

// How a run ended.
struct Outcome {
  Counts counts;
  std::chrono::nanoseconds elapsed{};
  std::vector<FailedTest> failures;  // in order of arrival
  std::vector<MissingTest> missing;
  std::optional<std::string> lost;  // why the server was given up
  bool interrupted = false;
};

[[nodiscard]] ExitCode exit_code(const Outcome& outcome);

// "PASS   id  0.012 s", one line.
[[nodiscard]] std::string result_line(const TestReport& report);
// The same line, and under it what the test attached: the traceback, the end of its output.
[[nodiscard]] std::string failure_text(const TestReport& report);
// Lines for the end of a run.
[[nodiscard]] std::string summary_text(const Outcome& outcome);

}  // namespace hearth::client
