#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "client/history/hearth_repository.hpp"
#include "tests/support/history/played_run.hpp"
#include "tests/support/temporary_folder.hpp"

namespace hearth::client {
namespace {

using hearth::test::PlayedRun;
using hearth::test::PlayedTest;
using hearth::test::TemporaryFolder;
using protocol::TestStatus;
using Ids = std::vector<std::string>;

std::unique_ptr<Repository> open(const TemporaryFolder& folder) {
  auto opened = Repository::open(folder.path(), true);
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().text()));
  return std::move(*opened);
}

std::string record(const TemporaryFolder& folder, bool all, const std::vector<PlayedTest>& tests,
                   bool interrupted = false) {
  auto recorder = open(folder)->record();
  REQUIRE_MESSAGE(recorder, (recorder ? "" : recorder.error().text()));
  PlayedRun run(**recorder);
  run.begin(all);
  for (const auto& test : tests) run.play(test);
  run.end(interrupted);
  const auto finished = (*recorder)->finish();
  REQUIRE_MESSAGE(finished, (finished ? "" : finished.error().text()));
  return *finished;
}

Ids failing(const TemporaryFolder& folder) {
  auto ids = open(folder)->past()->failing;
  std::sort(ids.begin(), ids.end());
  return ids;
}

std::vector<StoredResult> results(const TemporaryFolder& folder, const std::string& run,
                                  Detail detail) {
  std::vector<StoredResult> found;
  REQUIRE(open(folder)->read_run({run, {}, true}, detail,
                                 [&](StoredResult&& one) { found.push_back(std::move(one)); }));
  return found;
}

TEST_CASE("HearthRepository: nothing is made before a run is recorded") {
  TemporaryFolder folder;
  CHECK(open(folder)->past()->durations.empty());
  CHECK(!std::filesystem::exists(folder.path() / ".hearth"));
  const auto none = Repository::open(folder.path(), false);
  REQUIRE(!none);
  CHECK(none.error().cause.find("there is none") == 0);
}

TEST_CASE("HearthRepository: a run's results, by its stream and by the tables") {
  TemporaryFolder folder;
  PlayedTest broken{"p.S.Breaks", TestStatus::fail};
  broken.worker = 3;
  broken.files = {{"traceback", "it broke"}, {"stdout", "said"}};
  CHECK(record(folder, true, {{"p.S.Works"}, broken, {"p.S.Skips", TestStatus::skip}}) == "1");
  const auto runs = open(folder)->runs().value();
  REQUIRE(runs.size() == 1);
  CHECK(runs[0].complete);
  CHECK(runs[0].started_at == protocol::Timestamp(std::chrono::seconds(1'800'000'000)));
  for (const auto detail : {Detail::verdicts, Detail::everything}) {
    const auto found = results(folder, "1", detail);
    REQUIRE(found.size() == 3);
    CHECK(found[0].id == "p.S.Works");
    CHECK(found[0].status == TestStatus::success);
    CHECK(found[0].duration == std::chrono::milliseconds(10));
    CHECK(found[1].status == TestStatus::fail);
    CHECK(found[1].worker == Worker{3});
    CHECK(found[2].status == TestStatus::skip);
    CHECK(found[1].attachments.size() == (detail == Detail::everything ? 2 : 0));
  }
  CHECK(results(folder, "1", Detail::everything)[1].attachments[0].text == "it broke");
}

TEST_CASE("HearthRepository: durations and failures of the last time") {
  TemporaryFolder folder;
  PlayedTest slow{"a"};
  slow.duration = std::chrono::seconds(3);
  record(folder, true, {slow, {"b", TestStatus::fail}, {"c", TestStatus::fail}});
  CHECK(failing(folder) == Ids{"b", "c"});
  SUBCASE("a part of the tests") {
    record(folder, false, {{"b"}, {"d", TestStatus::fail}});
    CHECK(failing(folder) == Ids{"c", "d"});
    CHECK(open(folder)->past()->durations.at("a") == std::chrono::seconds(3));
    CHECK(open(folder)->past()->durations.at("b") == std::chrono::milliseconds(10));
  }
  SUBCASE("all, interrupted") {
    record(folder, true, {{"b"}}, true);
    CHECK(failing(folder) == Ids{"c"});
    CHECK(!open(folder)->runs()->back().complete);
  }
  SUBCASE("all") {
    record(folder, true, {{"a", TestStatus::fail}});
    CHECK(failing(folder) == Ids{"a"});
  }
  SUBCASE("twice in a run") {
    record(folder, false, {{"b", TestStatus::fail}, {"b"}});
    CHECK(failing(folder) == Ids{"b", "c"});
  }
}

TEST_CASE("HearthRepository: attempts are remembered, and the last one counts") {
  TemporaryFolder folder;
  PlayedTest first{"a", TestStatus::fail};
  first.will_retry = true;
  first.files = {{"traceback", "only at first"}};
  PlayedTest second{"a"};
  second.attempt = 2;
  record(folder, true, {first, second});
  CHECK(failing(folder) == Ids{});
  for (const auto detail : {Detail::verdicts, Detail::everything}) {
    const auto found = results(folder, "1", detail);
    REQUIRE(found.size() == 2);
    CHECK(found[0].retried);
    CHECK(!found[0].flaky);
    CHECK(!found[1].retried);
    CHECK(found[1].flaky);
  }
}

TEST_CASE("HearthRepository: failing tests with the text of the run in which they failed") {
  TemporaryFolder folder;
  PlayedTest first{"a", TestStatus::fail};
  first.files = {{"traceback", "first"}};
  PlayedTest second{"b", TestStatus::fail};
  second.files = {{"traceback", "second"}};
  record(folder, true, {first});
  record(folder, false, {second, {"c"}});
  std::filesystem::remove(folder.path() / ".hearth/runs/1");
  std::vector<StoredResult> found;
  REQUIRE(open(folder)->read_failing(Detail::everything,
                                     [&](StoredResult&& one) { found.push_back(std::move(one)); }));
  REQUIRE(found.size() == 2);
  CHECK(found[0].id == "a");
  CHECK(found[0].attachments.empty());
  CHECK(found[1].id == "b");
  CHECK(found[1].attachments.at(0).text == "second");
}

TEST_CASE("HearthRepository: all that is known of a test") {
  TemporaryFolder folder;
  record(folder, true, {{"a"}, {"b"}});
  record(folder, false, {{"b"}});
  record(folder, false, {{"a", TestStatus::fail}, {"a"}});
  Ids runs;
  std::vector<TestStatus> statuses;
  REQUIRE(open(folder)->read_test("a", [&](const StoredRun& run, StoredResult&& result) {
    runs.push_back(run.name);
    statuses.push_back(result.status);
  }));
  CHECK(runs == Ids{"1", "3", "3"});
  CHECK(statuses == std::vector{TestStatus::success, TestStatus::fail, TestStatus::success});
}

TEST_CASE("HearthRecorder: two runs at once both arrive") {
  TemporaryFolder folder;
  const auto first = open(folder)->record().value();
  const auto second = open(folder)->record().value();
  PlayedRun first_run(*first);
  PlayedRun second_run(*second);
  first_run.begin(false);
  second_run.begin(false);
  for (int number = 0; number < 5000; ++number) {
    first_run.play({"a" + std::to_string(number), TestStatus::fail});
    second_run.play({"b" + std::to_string(number)});
  }
  second_run.end();
  first_run.end();
  CHECK(first->finish().value() == "1");
  CHECK(second->finish().value() == "2");
  CHECK(failing(folder).size() == 5000);
  CHECK(results(folder, "2", Detail::verdicts).size() == 5000);
}

TEST_CASE("HearthRecorder: a full run does not forget the failures of one that began after it") {
  TemporaryFolder folder;
  record(folder, false, {{"old", TestStatus::fail}});
  const auto whole = open(folder)->record().value();
  PlayedRun run(*whole);
  run.begin(true);
  record(folder, false, {{"new", TestStatus::fail}});
  run.play({"a"});
  run.end();
  REQUIRE(whole->finish());
  CHECK(failing(folder) == Ids{"new"});
}

TEST_CASE("HearthRecorder: a run that never began leaves nothing, an abandoned one what it had") {
  TemporaryFolder folder;
  { const auto recorder = open(folder)->record().value(); }
  CHECK(open(folder)->runs()->empty());
  CHECK(std::filesystem::is_empty(folder.path() / ".hearth/runs"));
  {
    const auto recorder = open(folder)->record().value();
    PlayedRun run(*recorder);
    run.begin();
    run.play({"a"});
  }
  REQUIRE(open(folder)->runs()->size() == 1);
  CHECK(!open(folder)->runs()->front().complete);
  CHECK(results(folder, "2", Detail::verdicts).size() == 1);
  CHECK(results(folder, "2", Detail::everything).size() == 1);
}

TEST_CASE("HearthRepository: old runs go, the newest stays") {
  TemporaryFolder folder;
  for (int run = 0; run < 3; ++run) record(folder, false, {{"a"}});
  const auto path = (folder.path() / ".hearth").string();
  const auto database = make_hearth_database(path).value();
  SUBCASE("streams that are too large together") {
    database->run("UPDATE runs SET stream_size = 200000000");
    prune(*database, path);
    CHECK(open(folder)->runs()->size() == 3);
    CHECK(!std::filesystem::exists(path + "/runs/1"));
    CHECK(!std::filesystem::exists(path + "/runs/2"));
    CHECK(std::filesystem::exists(path + "/runs/3"));
    CHECK(results(folder, "1", Detail::everything).size() == 1);
  }
  SUBCASE("too many results") {
    database->run("UPDATE runs SET results = 3000000");
    prune(*database, path);
    REQUIRE(open(folder)->runs()->size() == 1);
    CHECK(open(folder)->runs()->front().name == "3");
    CHECK(!std::filesystem::exists(path + "/runs/2"));
    CHECK(results(folder, "3", Detail::verdicts).size() == 1);
  }
  REQUIRE(!database->failed());
}

std::string error_of(const TemporaryFolder& folder) {
  const auto recorder = open(folder)->record();
  REQUIRE(!recorder);
  return recorder.error().text();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("HearthRepository: what is wrong with it is said, with the file and the way out") {
  TemporaryFolder folder;
  record(folder, true, {{"a"}});
  const std::string file = (folder.path() / ".hearth/history.db").string();
  SUBCASE("garbage") {
    std::filesystem::remove(file);
    folder.write(".hearth/history.db", std::string(5000, 'x'));
    const auto said = error_of(folder);
    CHECK(has(said, file));
    CHECK(has(said, "file is not a database; move it away"));
    CHECK(!open(folder)->past());
  }
  SUBCASE("somebody else's") {
    std::filesystem::remove(file);
    const auto database = Database::open(file, Database::Access::create).value();
    database->run("CREATE TABLE something (text TEXT)");
    CHECK(has(error_of(folder), file + ": it is no history of hearth's; move it away"));
  }
  SUBCASE("a later version") {
    const auto database = Database::open(file, Database::Access::write).value();
    database->run("PRAGMA user_version = 7");
    CHECK(
        has(error_of(folder), "its format is 7; this hearth knows 1; use the hearth that made it"));
  }
  SUBCASE("a file in its way") {
    std::filesystem::remove_all(folder.path() / ".hearth");
    folder.write(".hearth", "");
    CHECK(has(error_of(folder), "/.hearth: Not a directory"));
  }
}

TEST_CASE("HearthRecorder: a repository that goes away in the middle of a run") {
  TemporaryFolder folder;
  const auto recorder = open(folder)->record().value();
  PlayedRun run(*recorder);
  run.begin();
  run.play({"a"});
  std::filesystem::remove_all(folder.path() / ".hearth");
  run.play({"b"});
  run.end();
  const auto finished = recorder->finish();
  REQUIRE(!finished);
  CHECK(has(finished.error().text(), ".hearth"));
  CHECK(record(folder, true, {{"a"}}) == "1");
}

TEST_CASE("HearthRecorder: while the run goes on, it does not wait for another writer") {
  TemporaryFolder folder;
  record(folder, true, {{"a"}});
  const auto holder =
      Database::open(folder.path() / ".hearth/history.db", Database::Access::write).value();
  const auto recorder = open(folder)->record().value();
  PlayedRun run(*recorder);
  run.begin(false);
  holder->run("BEGIN IMMEDIATE");
  for (int number = 0; number < 5000; ++number) run.play({"b" + std::to_string(number)});
  for (int tick = 0; tick < 20; ++tick) run.tick();
  holder->run("COMMIT");
  run.end();
  REQUIRE(recorder->finish().value() == "2");
  CHECK(results(folder, "2", Detail::verdicts).size() == 5000);
}

TEST_CASE("Database: an error undoes its transaction, and does not keep others waiting") {
  TemporaryFolder folder;
  record(folder, true, {{"a"}});
  const auto file = (folder.path() / ".hearth/history.db").string();
  const auto first = Database::open(file, Database::Access::write).value();
  CHECK(first->begin(0, true));
  first->run("DELETE FROM tests");
  first->run("no SQL");
  CHECK(first->failed());
  const auto second = Database::open(file, Database::Access::write).value();
  CHECK(second->begin(0, true));
  CHECK(open(folder)->past()->durations.size() == 1);
}

TEST_CASE(
    "HearthRecorder: a writer that holds the database for too long is waited for, then told") {
  TemporaryFolder folder;
  record(folder, true, {{"a"}});
  const auto file = (folder.path() / ".hearth/history.db").string();
  const auto holder = Database::open(file, Database::Access::write).value();
  holder->run("BEGIN IMMEDIATE");
  const auto waiting = Database::open(file, Database::Access::write, 1).value();
  waiting->run("BEGIN IMMEDIATE");
  REQUIRE(waiting->failed());
  CHECK(has(waiting->error("write").text(), "database is locked; wait until the process"));
}

}  // namespace
}  // namespace hearth::client
