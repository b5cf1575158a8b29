#include "client/reports/reports.hpp"

#include <unistd.h>

#include <array>

#include "client/reports/github_report.hpp"
#include "client/reports/json_report.hpp"
#include "client/reports/junit_report.hpp"
#include "client/reports/subunit_report.hpp"
#include "client/reports/tap_report.hpp"

namespace hearth::client {
namespace {

using Path = std::optional<std::string>;

struct Kind {
  const char* option;
  Path ReportOptions::*path;
  Expected<std::unique_ptr<Report>> (*open)(const std::string& path);
};

template <typename Made>
Expected<std::unique_ptr<Report>> open_stream(const std::string& path) {
  auto file = ReportFile::open(path);
  if (!file) return tl::unexpected(file.error());
  return std::make_unique<Made>(std::move(*file));
}

constexpr std::array kinds{
    Kind{"--subunit", &ReportOptions::subunit, open_stream<SubunitReport>},
    Kind{"--junit", &ReportOptions::junit, JUnitReport::open},
    Kind{"--tap", &ReportOptions::tap, open_stream<TapReport>},
    Kind{"--json", &ReportOptions::json, open_stream<JsonReport>},
};

}  // namespace

Expected<Reports> open_reports(const ReportOptions& options) {
  Reports reports;
  for (const auto& kind : kinds) {
    const auto& path = options.*kind.path;
    if (!path) continue;
    for (const auto& other : kinds)
      if (other.path != kind.path && options.*other.path == path)
        return tl::unexpected(Error{std::string("write ") + kind.option + " " + *path,
                                    std::string(other.option) + " goes there, too",
                                    "give each report a file of its own"});
    auto report = kind.open(*path);
    if (!report) return tl::unexpected(report.error());
    reports.push_back(std::move(*report));
  }
  if (options.github) {
    ReportFile out = reports_take_stdout(options) ? ReportFile("stderr", STDERR_FILENO)
                                                  : ReportFile("stdout", STDOUT_FILENO);
    reports.push_back(std::make_unique<GithubReport>(std::move(out), github_settings()));
  }
  return reports;
}

std::vector<Error> finish_reports(const Reports& reports) {
  std::vector<Error> errors;
  for (const auto& report : reports)
    if (auto finished = report->finish(); !finished) errors.push_back(finished.error());
  return errors;
}

bool reports_take_stdout(const ReportOptions& options) {
  for (const auto& kind : kinds)
    if (options.*kind.path == "-") return true;
  return false;
}

}  // namespace hearth::client
