#include "client/history/inquest_repository.hpp"

#include <unistd.h>

#include <cmath>

#include "client/history/files.hpp"
#include "client/history/stream_reader.hpp"
#include "protocol/subunit_v1_directive.hpp"

namespace hearth::client {
namespace {

using protocol::TestStatus;

std::string database_file(const std::string& path) {
  return path + "/metadata.db";
}

Error cannot_read(const Database& database, const std::string& path) {
  return database.error("read " + database_file(path));
}

nanoseconds from_seconds(double seconds) {
  return nanoseconds(std::llround(seconds * 1e9));
}

std::optional<protocol::Timestamp> parse_timestamp(std::string_view text) {
  const auto time = protocol::v1::parse_time(text);
  return time ? std::optional(time->when) : std::nullopt;
}

}  // namespace

std::string_view inquest_status(TestStatus status) {
  switch (status) {
    case TestStatus::success:
      return "success";
    case TestStatus::skip:
      return "skip";
    case TestStatus::xfail:
      return "xfail";
    case TestStatus::uxsuccess:
      return "uxsuccess";
    default:
      return "failure";
  }
}

TestStatus status_from_inquest(std::string_view name) {
  for (const auto status :
       {TestStatus::success, TestStatus::skip, TestStatus::xfail, TestStatus::uxsuccess})
    if (inquest_status(status) == name) return status;
  return TestStatus::fail;
}

Expected<std::unique_ptr<Database>> open_inquest_database(const std::string& path) {
  const std::string attempted = "open " + database_file(path);
  const auto access =
      ::access(path.c_str(), W_OK) == 0 ? Database::Access::write : Database::Access::immutable;
  auto database = Database::open(database_file(path), access);
  if (!database) return database;
  auto version = (*database)->prepare("SELECT version FROM schema_version");
  const bool found = version.step();
  if ((*database)->failed()) return tl::unexpected((*database)->error(attempted));
  if (!found || version.integer(0) != 1)
    return tl::unexpected(Error{attempted, "its schema is not version 1, the one known here",
                                "move " + path + " away, or give it to the inq that made it"});
  return database;
}

Expected<std::unique_ptr<Repository>> InquestRepository::open(const std::string& path) {
  const auto format = read_file(path + "/format");
  if (!format) return tl::unexpected(format.error());
  if (format->substr(0, format->find_last_not_of(" \n") + 1) != "1")
    return tl::unexpected(Error{"use the repository " + path,
                                path + "/format is not 1: the repository has a format that is not "
                                       "known here",
                                "move it away, or give it to the inq that made it"});
  return std::unique_ptr<Repository>(new InquestRepository(path));
}

std::string InquestRepository::description() const {
  return "the inquest repository in " + m_path;
}

std::string InquestRepository::lacking() const {
  return "inquest's tables do not tell a pass after a retry from any other, nor whether the "
         "programs "
         "changed between runs: tests that failed between passes are taken for flaky";
}

Expected<std::unique_ptr<Recorder>> InquestRepository::record() {
  return make_inquest_recorder(m_path);
}

Expected<Past> InquestRepository::past() {
  const auto database = open_inquest_database(m_path);
  if (!database) return tl::unexpected(database.error());
  Past past;
  auto times = (*database)->prepare("SELECT test_id, duration_secs FROM test_times");
  while (times.step()) past.durations.emplace(times.text(0), from_seconds(times.real(1)));
  auto failing = (*database)->prepare("SELECT test_id FROM failing_tests");
  while (failing.step()) past.failing.emplace_back(failing.text(0));
  if ((*database)->failed()) return tl::unexpected(cannot_read(**database, m_path));
  return past;
}

Expected<std::vector<StoredRun>> InquestRepository::runs() {
  const auto database = open_inquest_database(m_path);
  if (!database) return tl::unexpected(database.error());
  std::vector<StoredRun> runs;
  auto rows = (*database)->prepare("SELECT id, timestamp FROM runs ORDER BY id");
  while (rows.step())
    runs.push_back({std::string(rows.text(0)), parse_timestamp(rows.text(1)),
                    !exists(m_path + "/runs/" + std::string(rows.text(0)) + ".lock")});
  if ((*database)->failed()) return tl::unexpected(cannot_read(**database, m_path));
  return runs;
}

Expected<void> InquestRepository::read_run(const StoredRun& run, Detail detail,
                                           const ResultSink& sink) {
  const std::string stream = m_path + "/runs/" + run.name;
  if (detail == Detail::everything && exists(stream)) {
    const auto read = read_stream(stream, detail, sink);
    if (!read) return tl::unexpected(read.error());
    return {};
  }
  const auto database = open_inquest_database(m_path);
  if (!database) return tl::unexpected(database.error());
  auto rows = (*database)->prepare(
      "SELECT test_id, status, duration_secs FROM test_results WHERE run_id = CAST(? AS INTEGER)"
      " ORDER BY rowid");
  rows.bind(std::string_view(run.name));
  while (rows.step()) {
    StoredResult result;
    result.id = rows.text(0);
    result.status = status_from_inquest(rows.text(1));
    if (!rows.is_null(2)) result.duration = from_seconds(rows.real(2));
    sink(std::move(result));
  }
  if ((*database)->failed()) return tl::unexpected(cannot_read(**database, m_path));
  return {};
}

Expected<void> InquestRepository::read_failing(Detail detail, const ResultSink& sink) {
  const auto database = open_inquest_database(m_path);
  if (!database) return tl::unexpected(database.error());
  auto rows = (*database)->prepare(
      "SELECT test_id, status, COALESCE(details, message, '') FROM failing_tests"
      " ORDER BY run_id, test_id");
  while (rows.step()) {
    StoredResult result;
    result.id = rows.text(0);
    result.status = status_from_inquest(rows.text(1));
    const auto text = rows.text(2);
    if (detail == Detail::everything && !text.empty())
      result.attachments.push_back(
          {"traceback", "text/plain;charset=utf8", std::string(text), text.size()});
    sink(std::move(result));
  }
  if ((*database)->failed()) return tl::unexpected(cannot_read(**database, m_path));
  return {};
}

Expected<void> InquestRepository::read_test(
    const std::string& id, const std::function<void(const StoredRun&, StoredResult&&)>& sink) {
  const auto database = open_inquest_database(m_path);
  if (!database) return tl::unexpected(database.error());
  auto rows = (*database)->prepare(
      "SELECT run_id, timestamp, status, test_results.duration_secs FROM test_results"
      " JOIN runs ON runs.id = run_id WHERE test_id = ? ORDER BY run_id");
  rows.bind(std::string_view(id));
  while (rows.step()) {
    StoredResult result;
    result.id = id;
    result.status = status_from_inquest(rows.text(2));
    if (!rows.is_null(3)) result.duration = from_seconds(rows.real(3));
    sink({std::string(rows.text(0)), parse_timestamp(rows.text(1)), true}, std::move(result));
  }
  if ((*database)->failed()) return tl::unexpected(cannot_read(**database, m_path));
  return {};
}

}  // namespace hearth::client
