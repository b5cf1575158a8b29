// The file of --tap: TAP 13, a test point for each test's last word, as it ends, with its
// diagnostics in YAML; the plan at the end, so that a stream that was cut off shows.
#pragma once

#include "client/reports/report_file.hpp"
#include "client/reports/reports.hpp"

namespace hearth::client {

class TapReport final : public Report {
 public:
  explicit TapReport(ReportFile file);
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot&) override { (void)m_file.flush(); }
  void on_end(const Outcome& outcome) override;
  Expected<void> finish() override;

 private:
  void point(bool ok, std::string_view id, std::string_view directive,
             std::string_view diagnostics);

  ReportFile m_file;
  std::size_t m_points = 0;
};

}  // namespace hearth::client
