// What a run prints for people about one test. Pure.
#pragma once

#include <string>

#include "client/run/events.hpp"
#include "client/show/color.hpp"

namespace hearth::client {

// "PASS   id  0.012 s", one line. The first word: PASS, FAIL, SKIP, XFAIL, XPASS (passed, though
// expected to fail), FLAKY (passed after a failure), RETRY (failed, and runs again), LOST (no
// server gave a result).
[[nodiscard]] std::string result_line(const TestReport& report, const Paint& paint = Paint());
// What the test attached: the traceback, the end of its output. Lines, each behind a margin of
// four.
[[nodiscard]] std::string attachments_text(const TestReport& report);
// The line, and under it what the test attached.
[[nodiscard]] std::string failure_text(const TestReport& report, const Paint& paint = Paint());

}  // namespace hearth::client
