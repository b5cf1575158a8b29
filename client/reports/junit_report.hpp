// The file of --junit: one for the whole run, a testsuite for each class of tests, as Jenkins's
// xunit plugin defines the format (junit-10.xsd) and Surefire uses it for tests that run again:
//
//   passed                      <testcase/>
//   fail, uxsuccess             <failure>
//   lost                        <error>
//   skip; xfail; not run        <skipped>
//   flaky                       a <flakyFailure> for each failure before the pass
//   failed again and again      the first as <failure>, each after it as <rerunFailure>
//
// Tests of different classes end in any order, so each test's text waits in a spool beside the
// file; the file is put together at the end, and takes the place of the old one in one step.
// Memory: some bytes a test.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "client/reports/reports.hpp"
#include "client/reports/spool.hpp"

namespace hearth::client {

class JUnitReport final : public Report {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<Report>> open(const std::string& path);
  void on_begin(const RunInfo& run) override { m_started_at = run.started_at; }
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_end(const Outcome& outcome) override;
  Expected<void> finish() override;

 private:
  struct Totals {
    std::size_t tests = 0;
    std::size_t failures = 0;
    std::size_t errors = 0;
    std::size_t skipped = 0;
    nanoseconds time{};
  };
  struct Suite {
    std::string name;
    Totals totals;
    std::optional<protocol::Timestamp> started_at;
  };
  struct Case {
    std::uint32_t suite;
    Spool::Piece text;
  };
  struct Attempt {  // that failed
    bool lost;
    Spool::Piece head;    // attributes
    Spool::Piece text;    // details
    Spool::Piece output;  // elements
  };
  enum class Verdict : std::uint8_t { passed, skipped, failed, lost };

  JUnitReport(std::string path, bool in_place, Spool spool)
      : m_path(std::move(path)), m_in_place(in_place), m_spool(std::move(spool)) {}
  [[nodiscard]] Attempt set_aside(const TestReport& report);
  [[nodiscard]] Expected<std::string> body_of(const TestReport& report, Verdict verdict);
  [[nodiscard]] Expected<void> add_attempts(const std::vector<Attempt>& attempts, bool passed,
                                            std::string& text);
  std::uint32_t count(std::string_view suite, Verdict verdict, const TestReport& report);
  void add_case(const TestReport& report, Verdict verdict, std::string_view body);
  [[nodiscard]] Expected<void> write(ReportFile& file);

  std::string m_path;
  bool m_in_place;  // written itself, not replaced: stdout, devices
  Spool m_spool;
  std::optional<Error> m_error;
  std::optional<protocol::Timestamp> m_started_at;
  nanoseconds m_elapsed{};
  std::vector<Suite> m_suites;  // in the order of their first results
  std::unordered_map<std::string, std::uint32_t> m_suite_of;
  std::vector<Case> m_cases;
  std::map<std::string, std::vector<Attempt>, std::less<>> m_attempts;  // of tests that run again
};

}  // namespace hearth::client
