// --github: an annotation for each failure and flaky test, which GitHub shows beside the line that
// its traceback names; and the job's summary in Markdown, where GITHUB_STEP_SUMMARY names a file
// for it. Annotations are lines of output, written when the run is over, so that no other output
// stands between them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/reports/report_file.hpp"
#include "client/reports/reports.hpp"

namespace hearth::client {

struct GithubSettings {
  std::optional<std::string> summary_path;  // GITHUB_STEP_SUMMARY
  std::string workspace;                    // GITHUB_WORKSPACE, else the current directory
};
[[nodiscard]] GithubSettings github_settings();

class GithubReport final : public Report {
 public:
  GithubReport(ReportFile out, GithubSettings settings)
      : m_out(std::move(out)), m_settings(std::move(settings)) {}
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_end(const Outcome& outcome) override;
  Expected<void> finish() override;

 private:
  [[nodiscard]] std::string annotation(const TestReport& report) const;
  [[nodiscard]] std::string in_workspace(std::string file) const;

  ReportFile m_out;
  GithubSettings m_settings;
  std::string m_annotations;
  std::size_t m_annotated = 0;
  std::string m_failed;  // Markdown: the failures, and the flaky tests
  std::string m_flaky;
  std::size_t m_failures = 0;
  std::string m_summary;  // Markdown; empty until the end
};

}  // namespace hearth::client
