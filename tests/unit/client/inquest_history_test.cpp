#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/history/inquest_repository.hpp"
#include "tests/support/history/played_run.hpp"
#include "tests/support/temporary_folder.hpp"

namespace hearth::client {
namespace {

using hearth::test::PlayedRun;
using hearth::test::PlayedTest;
using hearth::test::TemporaryFolder;
using protocol::TestStatus;

std::string schema() {
  std::ostringstream text;
  text << std::ifstream(INQUEST_SCHEMA).rdbuf();
  return text.str();
}

void make_inquest(const TemporaryFolder& folder) {
  folder.write(".inquest/format", "1\n");
  std::filesystem::create_directory(folder.path() / ".inquest/runs");
  const auto database =
      Database::open(folder.path() / ".inquest/metadata.db", Database::Access::create).value();
  database->run(schema().c_str());
  REQUIRE(!database->failed());
}

std::unique_ptr<Repository> open(const TemporaryFolder& folder) {
  return Repository::open(folder.path(), true).value();
}

std::string record(const TemporaryFolder& folder, bool all, const std::vector<PlayedTest>& tests,
                   bool interrupted = false) {
  auto recorder = open(folder)->record();
  REQUIRE_MESSAGE(recorder, (recorder ? "" : recorder.error().text()));
  PlayedRun run(**recorder);
  run.begin(all, 2);
  for (const auto& test : tests) run.play(test);
  run.end(interrupted);
  const auto finished = (*recorder)->finish();
  REQUIRE_MESSAGE(finished, (finished ? "" : finished.error().text()));
  return *finished;
}

// The rows that a query gives, columns joined by `|`.
std::vector<std::string> rows(const TemporaryFolder& folder, const char* sql, int columns) {
  const auto database = open_inquest_database((folder.path() / ".inquest").string()).value();
  std::vector<std::string> found;
  auto statement = database->prepare(sql);
  while (statement.step()) {
    std::string row;
    for (int column = 0; column < columns; ++column)
      row += (column > 0 ? "|" : "") +
             (statement.is_null(column) ? "NULL" : std::string(statement.text(column)));
    found.push_back(row);
  }
  REQUIRE(!database->failed());
  return found;
}

using Rows = std::vector<std::string>;

TEST_CASE("InquestRecorder: the tables as inq fills them") {
  TemporaryFolder folder;
  make_inquest(folder);
  PlayedTest broken{"b", TestStatus::fail};
  broken.worker = 1;
  broken.duration = std::chrono::milliseconds(1500);
  broken.files = {{"stdout", "said"}, {"traceback", "first line\n  the cause  \n\n"}};
  CHECK(record(folder, true, {{"a"}, broken, {"c", TestStatus::skip}}) == "0");
  CHECK(rows(folder, "SELECT * FROM test_results ORDER BY test_id", 7) ==
        Rows{"0|a|success|0.01|NULL|NULL|worker-0",
             "0|b|failure|1.5|the cause|first line\n  the cause  \n\n|worker-1",
             "0|c|skip|0.01|NULL|NULL|worker-0"});
  CHECK(rows(folder, "SELECT test_id, run_id, status, message FROM failing_tests", 4) ==
        Rows{"b|0|failure|the cause"});
  CHECK(rows(folder, "SELECT * FROM test_times ORDER BY test_id", 2) ==
        Rows{"a|0.01", "b|1.5", "c|0.01"});
  CHECK(rows(folder,
             "SELECT id, timestamp, concurrency, total_tests, failures, errors, skips FROM runs",
             7) == Rows{"0|2027-01-15T08:00:00.000000000+00:00|3|3|1|0|1"});
  CHECK(std::filesystem::exists(folder.path() / ".inquest/runs/0"));
  CHECK(!std::filesystem::exists(folder.path() / ".inquest/runs/0.lock"));
}

TEST_CASE("InquestRecorder: failing tests and the counts of changes") {
  TemporaryFolder folder;
  make_inquest(folder);
  record(folder, true, {{"a", TestStatus::fail}, {"b", TestStatus::fail}, {"c"}});
  record(folder, false, {{"a"}});
  CHECK(rows(folder, "SELECT test_id FROM failing_tests", 1) == Rows{"b"});
  record(folder, false, {{"a", TestStatus::fail}, {"a", TestStatus::fail}});
  CHECK(rows(folder, "SELECT test_id FROM failing_tests ORDER BY 1", 1) == Rows{"a", "b"});
  CHECK(rows(folder, "SELECT * FROM test_flakiness ORDER BY test_id", 6) ==
        Rows{"a|3|2|2|2|1", "b|1|1|0|0|1", "c|1|0|0|0|0"});
  record(folder, true, {{"c"}});
  CHECK(rows(folder, "SELECT test_id FROM failing_tests", 1) == Rows{});
}

TEST_CASE("InquestRepository: what was recorded is read back") {
  TemporaryFolder folder;
  make_inquest(folder);
  PlayedTest broken{"b", TestStatus::fail};
  broken.files = {{"traceback", "why"}};
  record(folder, true, {{"a"}, broken});
  const auto repository = open(folder);
  const auto past = repository->past().value();
  CHECK(past.failing == Rows{"b"});
  CHECK(past.durations.at("a") == std::chrono::milliseconds(10));
  const auto runs = repository->runs().value();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].started_at == protocol::Timestamp(std::chrono::seconds(1'800'000'000)));
  std::vector<StoredResult> found;
  const auto keep = [&](StoredResult&& one) { found.push_back(std::move(one)); };
  REQUIRE(repository->read_run(runs[0], Detail::everything, keep));
  REQUIRE(repository->read_run(runs[0], Detail::verdicts, keep));
  REQUIRE(repository->read_failing(Detail::everything, keep));
  REQUIRE(repository->read_test(
      "b", [&](const StoredRun&, StoredResult&& one) { keep(std::move(one)); }));
  REQUIRE(found.size() == 6);
  CHECK(found[1].attachments.at(0).text == "why");
  CHECK(found[3].id == "b");
  CHECK(found[4].attachments.at(0).text == "why");
  CHECK(found[5].status == TestStatus::fail);
}

TEST_CASE("InquestRecorder: tables older than some columns, and a cache that inq has yet to fill") {
  TemporaryFolder folder;
  make_inquest(folder);
  {
    const auto database =
        Database::open(folder.path() / ".inquest/metadata.db", Database::Access::write).value();
    database->run(
        "DROP TABLE test_flakiness; ALTER TABLE runs DROP COLUMN exit_code;"
        "ALTER TABLE runs DROP COLUMN duration_secs");
    REQUIRE(!database->failed());
  }
  CHECK(record(folder, true, {{"a"}}) == "0");
  CHECK(rows(folder, "SELECT name FROM sqlite_master WHERE name = 'test_flakiness'", 1) == Rows{});
}

TEST_CASE("InquestRepository: an unknown schema is left alone") {
  TemporaryFolder folder;
  make_inquest(folder);
  {
    const auto database =
        Database::open(folder.path() / ".inquest/metadata.db", Database::Access::write).value();
    database->run("UPDATE schema_version SET version = 2");
  }
  const auto recorder = open(folder)->record();
  REQUIRE(!recorder);
  CHECK(recorder.error().cause == "its schema is not version 1, the one known here");
}

}  // namespace
}  // namespace hearth::client
