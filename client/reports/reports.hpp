// The reports of a run as files, each a listener like any other.
//
// Flow: open_reports() before the run, as listeners of it with all others, finish_reports() when it
// is over. A report that cannot be opened is an error before anything has run; what goes wrong
// later (a full disk) does not disturb the run, and is told by finish().
#pragma once

#include <memory>
#include <vector>

#include "client/reports/report_options.hpp"
#include "client/run/events.hpp"
#include "protocol/error.hpp"

namespace hearth::client {

class Report : public RunListener {
 public:
  // Completes the report. Also where there was no on_end(): the run could not begin.
  [[nodiscard]] virtual Expected<void> finish() = 0;
};

using Reports = std::vector<std::unique_ptr<Report>>;

// An error too where two reports want the same file, or stdout.
[[nodiscard]] Expected<Reports> open_reports(const ReportOptions& options);

// What could not be written; empty: all is.
[[nodiscard]] std::vector<Error> finish_reports(const Reports& reports);

// Whether stdout is a report's: everything else then goes to stderr.
[[nodiscard]] bool reports_take_stdout(const ReportOptions& options);

}  // namespace hearth::client
