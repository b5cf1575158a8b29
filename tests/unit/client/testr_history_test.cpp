#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "client/history/repository.hpp"
#include "client/history/testr_repository.hpp"
#include "tests/support/history/played_run.hpp"
#include "tests/support/temporary_folder.hpp"

namespace hearth::client {
namespace {

using hearth::test::PlayedRun;
using hearth::test::PlayedTest;
using hearth::test::TemporaryFolder;
using protocol::TestStatus;

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::unique_ptr<Repository> open(const TemporaryFolder& folder,
                                 std::chrono::milliseconds patience = std::chrono::seconds(10)) {
  auto opened = Repository::open(folder.path(), false, patience);
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().text()));
  return std::move(*opened);
}

TemporaryFolder& with_testr(TemporaryFolder& folder, const std::string& name = ".testrepository") {
  folder.write(name + "/format", "1\n");
  folder.write(name + "/next-stream", "0\n");
  return folder;
}

Expected<std::string> record(const TemporaryFolder& folder, bool all,
                             const std::vector<PlayedTest>& tests, bool interrupted = false) {
  const auto history = open(folder);
  auto recorder = history->record();
  if (!recorder) return tl::unexpected(recorder.error());
  PlayedRun run(**recorder);
  run.begin(all);
  for (const auto& test : tests) run.play(test);
  run.end(interrupted);
  return (*recorder)->finish();
}

std::vector<std::string> failing(const TemporaryFolder& folder) {
  auto past = open(folder)->past();
  REQUIRE_MESSAGE(past, (past ? "" : past.error().text()));
  std::sort(past->failing.begin(), past->failing.end());
  return past->failing;
}

using Ids = std::vector<std::string>;

TEST_CASE("TestrRecorder: the files of a first run, byte by byte") {
  TemporaryFolder folder;
  with_testr(folder);
  PlayedTest broken{"p.S.Breaks", TestStatus::fail};
  broken.duration = std::chrono::milliseconds(1500);
  broken.worker = 3;
  broken.files = {{"traceback", "it broke\n"}};
  REQUIRE(record(folder, true, {{"p.S.Works"}, broken}).value() == "0");
  const auto repository = folder.path() / ".testrepository";
  const std::string failure =
      "time: 2027-01-15 08:00:00.010000Z\n"
      "tags: worker-3\n"
      "test: p.S.Breaks\n"
      "time: 2027-01-15 08:00:01.510000Z\n"
      "failure: p.S.Breaks [ multipart\n"
      "Content-Type: text/plain;charset=utf8\n"
      "traceback\n"
      "9\r\nit broke\n0\r\n"
      "]\n"
      "tags: -worker-3\n";
  CHECK(content_of(repository / "0") ==
        "time: 2027-01-15 08:00:00.000000Z\n"
        "tags: worker-0\n"
        "test: p.S.Works\n"
        "time: 2027-01-15 08:00:00.010000Z\n"
        "successful: p.S.Works\n"
        "tags: -worker-0\n" +
            failure);
  CHECK(content_of(repository / "failing") == failure);
  CHECK(content_of(repository / "next-stream") == "1\n");
  CHECK(content_of(repository / "format") == "1\n");
}

TEST_CASE(
    "TestrRecorder: what is no UTF-8 is not called text, since testr would read nothing any more") {
  TemporaryFolder folder;
  with_testr(folder);
  PlayedTest broken{"p.S.Breaks", TestStatus::fail};
  broken.files = {{"stdout", "\xff\xfe"}, {"stderr", "\u00e9"}};
  REQUIRE(record(folder, true, {broken}));
  const auto text = content_of(folder.path() / ".testrepository" / "0");
  CHECK(text.find("Content-Type: application/octet-stream\nstdout\n") != std::string::npos);
  CHECK(text.find("Content-Type: text/plain;charset=utf8\nstderr\n") != std::string::npos);
}

TEST_CASE("TestrRecorder: nothing stays beside the files that testr knows") {
  TemporaryFolder folder;
  with_testr(folder);
  REQUIRE(record(folder, true, {{"a"}}));
  Ids names;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / ".testrepository"))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  CHECK(names == Ids{"0", "failing", "format", "next-stream", "times.dbm.dat", "times.dbm.dir"});
}

TEST_CASE("TestrRecorder: a full run replaces `failing`, a part of one changes it") {
  TemporaryFolder folder;
  with_testr(folder);
  REQUIRE(record(folder, true, {{"a", TestStatus::fail}, {"b", TestStatus::fail}, {"c"}}));
  CHECK(failing(folder) == Ids{"a", "b"});
  SUBCASE("what passed goes, what failed comes") {
    REQUIRE(record(folder, false, {{"a"}, {"d", TestStatus::fail}}).value() == "1");
    CHECK(failing(folder) == Ids{"b", "d"});
  }
  SUBCASE("an interrupted run is a part") {
    REQUIRE(record(folder, true, {{"a"}}, true));
    CHECK(failing(folder) == Ids{"b"});
  }
  SUBCASE("a full run knows all") {
    REQUIRE(record(folder, true, {{"c", TestStatus::uxsuccess}}));
    CHECK(failing(folder) == Ids{"c"});
  }
  SUBCASE("a skip and an expected failure are no failures") {
    REQUIRE(record(folder, false, {{"a", TestStatus::skip}, {"b", TestStatus::xfail}}));
    CHECK(failing(folder) == Ids{});
  }
}

TEST_CASE("TestrRecorder: the text of a failure stays in `failing` over runs of other tests") {
  TemporaryFolder folder;
  with_testr(folder);
  PlayedTest broken{"a", TestStatus::fail};
  broken.files = {{"traceback", "why\n]\n0\r\nnot the end"}, {"stdout", ""}};
  REQUIRE(record(folder, true, {broken}));
  REQUIRE(record(folder, false, {{"b"}}));
  std::vector<StoredResult> found;
  REQUIRE(open(folder)->read_failing(Detail::everything,
                                     [&](StoredResult&& one) { found.push_back(std::move(one)); }));
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].attachments.size() == 2);
  CHECK(found[0].attachments[0].text == "why\n]\n0\r\nnot the end");
  CHECK(found[0].attachments[1].name == "stdout");
}

TEST_CASE("TestrRecorder: of several attempts the last counts") {
  TemporaryFolder folder;
  with_testr(folder);
  PlayedTest first{"a", TestStatus::fail};
  first.will_retry = true;
  PlayedTest second{"a"};
  second.attempt = 2;
  REQUIRE(record(folder, true, {first, second}));
  CHECK(failing(folder) == Ids{});
  const auto text = content_of(folder.path() / ".testrepository/0");
  CHECK(text.find("failure") == std::string::npos);
  CHECK(text.find("successful: a") != std::string::npos);
}

TEST_CASE("TestrRecorder: of several runs of a test in one, a failure counts") {
  TemporaryFolder folder;
  with_testr(folder);
  REQUIRE(record(folder, true, {{"a", TestStatus::fail}, {"a"}, {"a", TestStatus::fail}}));
  CHECK(failing(folder) == Ids{"a"});
}

TEST_CASE("TestrRecorder: durations are kept over runs, and replaced") {
  std::string name;
  SUBCASE("testr") {
    name = ".testrepository";
  }
  SUBCASE("stestr") {
    name = ".stestr";
  }
  TemporaryFolder folder;
  with_testr(folder, name);
  PlayedTest slow{"p.S.T/0 'quoted' \"and\" \\ größer"};
  slow.duration = std::chrono::seconds(2);
  PlayedTest other{"b"};
  PlayedTest never{"c", TestStatus::fail};
  never.timed = false;
  REQUIRE(record(folder, true, {slow, other, never}));
  slow.duration = std::chrono::microseconds(3);
  REQUIRE(record(folder, false, {slow}));
  const auto past = open(folder)->past().value();
  CHECK(past.durations.size() == 2);
  CHECK(past.durations.at(slow.id) == std::chrono::microseconds(3));
  CHECK(past.durations.at("b") == std::chrono::milliseconds(10));
}

TEST_CASE("TestrRecorder: stestr finds the time of a test with tags without them") {
  TemporaryFolder folder;
  with_testr(folder, ".stestr");
  REQUIRE(record(folder, true, {{"p.S.T[slow,net]"}}));
  const auto past = open(folder)->past().value();
  CHECK(past.durations.contains("p.S.T"));
  CHECK(past.durations.contains("p.S.T[slow,net]"));
}

TEST_CASE("TestrRecorder: in a testr repository that inquest keeps, runs are subunit v2") {
  TemporaryFolder folder;
  with_testr(folder);
  folder.write(".testrepository/0", "\xb3");
  folder.write(".testrepository/next-stream", "1\n");
  PlayedTest broken{"a", TestStatus::fail};
  broken.files = {{"traceback", "why"}};
  REQUIRE(record(folder, true, {broken, {"b", TestStatus::fail}}).value() == "1");
  REQUIRE(record(folder, false, {{"b"}}).value() == "2");
  CHECK(failing(folder) == Ids{"a"});
  for (const auto* const name : {"1", "2", "failing"})
    CHECK(content_of(folder.path() / ".testrepository" / name).starts_with("\xb3"));
  CHECK(content_of(folder.path() / ".testrepository/times.dbm").starts_with("SQLite format 3"));
  CHECK(open(folder)->past()->durations.at("b") == std::chrono::milliseconds(10));
  std::vector<StoredResult> found;
  REQUIRE(open(folder)->read_failing(Detail::everything,
                                     [&](StoredResult&& one) { found.push_back(std::move(one)); }));
  CHECK(found.at(0).attachments.at(0).text == "why");
  CHECK(found[0].worker == Worker{0});
}

TEST_CASE("TestrRecorder: a number that is taken is passed over") {
  TemporaryFolder folder;
  with_testr(folder);
  folder.write(".testrepository/0", "time: 2026-01-01 00:00:00Z\n");
  CHECK(record(folder, true, {{"a"}}).value() == "1");
  CHECK(content_of(folder.path() / ".testrepository/next-stream") == "2\n");
  CHECK(content_of(folder.path() / ".testrepository/0") == "time: 2026-01-01 00:00:00Z\n");
}

TEST_CASE("TestrRecorder: two runs at once both arrive") {
  TemporaryFolder folder;
  with_testr(folder);
  const auto one = open(folder);
  const auto other = open(folder);
  const auto first = one->record().value();
  const auto second = other->record().value();
  PlayedRun first_run(*first);
  PlayedRun second_run(*second);
  first_run.begin(false);
  second_run.begin(false);
  first_run.play({"a", TestStatus::fail});
  second_run.play({"b", TestStatus::fail});
  second_run.end();
  first_run.end();
  CHECK(second->finish().value() == "0");
  CHECK(first->finish().value() == "1");
  CHECK(failing(folder) == Ids{"a", "b"});
  CHECK(open(folder)->past()->durations.size() == 2);
}

TEST_CASE("TestrRecorder: an abandoned run leaves nothing") {
  TemporaryFolder folder;
  with_testr(folder);
  {
    const auto recorder = open(folder)->record().value();
    PlayedRun run(*recorder);
    run.begin();
    run.play({"a"});
  }
  CHECK(open(folder)->runs()->empty());
  CHECK(content_of(folder.path() / ".testrepository/next-stream") == "0\n");
}

TEST_CASE("TestrRecorder: the lock's holder is named after a while") {
  TemporaryFolder folder;
  with_testr(folder);
  const int fd = ::open((folder.path() / ".testrepository").c_str(), O_RDONLY | O_DIRECTORY);
  REQUIRE(flock(fd, LOCK_EX) == 0);
  const auto recorder = open(folder, std::chrono::milliseconds(1))->record().value();
  PlayedRun run(*recorder);
  run.begin();
  run.play({"a"});
  run.end();
  const auto finished = recorder->finish();
  close(fd);
  REQUIRE(!finished);
  CHECK(finished.error().text().find("process " + std::to_string(getpid()) + " (") !=
        std::string::npos);
  CHECK(open(folder)->runs()->empty());
}

// What is said, where there is something wrong.
std::string error_of(const TemporaryFolder& folder) {
  const auto opened = Repository::open(folder.path(), false);
  if (!opened) return opened.error().text();
  auto recorder = (*opened)->record();
  if (!recorder) return recorder.error().text();
  PlayedRun run(**recorder);
  run.begin(false);
  run.play({"a", TestStatus::fail});
  run.end();
  const auto finished = (*recorder)->finish();
  return finished ? "" : finished.error().text();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("TestrRepository: what is wrong with it is said, with the file and the way out") {
  TemporaryFolder folder;
  with_testr(folder);
  const std::string repository = (folder.path() / ".testrepository").string();
  std::string said;
  SUBCASE("another format") {
    folder.write(".testrepository/format", "2\n");
    said = error_of(folder);
    CHECK(has(said, repository + "/format is not 1"));
  }
  SUBCASE("no format") {
    std::filesystem::remove(repository + "/format");
    said = error_of(folder);
    CHECK(has(said, repository + "/format: No such file or directory; "));
    CHECK(has(said, "testr init"));
  }
  SUBCASE("no number in next-stream") {
    folder.write(".testrepository/next-stream", "seven\n");
    said = error_of(folder);
    CHECK(has(said, repository + "/next-stream holds no number; write the number into it"));
    CHECK(open(folder)->runs()->empty());
  }
  SUBCASE("a damaged `failing`") {
    folder.write(".testrepository/failing", "\x01\x02garbage\n");
    said = error_of(folder);
    CHECK(has(said,
              repository + "/failing: it is damaged: 10 bytes of it are no subunit; remove it"));
    CHECK(content_of(repository + "/failing") == "\x01\x02garbage\n");
    CHECK(open(folder)->runs()->size() == 1);
    CHECK(!open(folder)->past());
  }
  SUBCASE("damaged durations") {
    folder.write(".testrepository/times.dbm.dir", "'a', (0, 3\n");
    folder.write(".testrepository/times.dbm.dat", "1.0");
    said = error_of(folder);
    CHECK(has(said, repository + "/times.dbm.dir: line 1 is damaged; remove "));
    CHECK(content_of(repository + "/times.dbm.dir") == "'a', (0, 3\n");
    CHECK(has(content_of(repository + "/failing"), "failure: a"));
  }
  SUBCASE("durations of an unknown kind") {
    folder.write(".testrepository/times.dbm", "\xce\x9a\x57\x13");
    said = error_of(folder);
    CHECK(has(said, repository + "/times.dbm: it is of a kind that is not known here; remove it"));
  }
  CHECK(!said.empty());
}

TEST_CASE("TestrRecorder: a repository that goes away in the middle of a run") {
  TemporaryFolder folder;
  with_testr(folder);
  const auto recorder = open(folder)->record().value();
  PlayedRun run(*recorder);
  run.begin();
  run.play({"a"});
  std::filesystem::remove_all(folder.path() / ".testrepository");
  run.play({"b"});
  run.end();
  const auto finished = recorder->finish();
  REQUIRE(!finished);
  CHECK(has(finished.error().text(), ".testrepository: No such file or directory"));
}

TEST_CASE(
    "TestrRepository: runs that were killed while they replaced the durations are completed") {
  TemporaryFolder folder;
  with_testr(folder);
  REQUIRE(record(folder, true, {{"a"}}));
  const std::string times = (folder.path() / ".testrepository/times.dbm").string();
  SUBCASE("before the values were moved") {
    std::filesystem::rename(times + ".dat", times + ".dat.new");
    folder.write(".testrepository/times.dbm.dat", "999");
  }
  SUBCASE("after that") {}
  std::filesystem::rename(times + ".dir", times + ".dir.new");
  CHECK(open(folder)->past()->durations.at("a") == std::chrono::milliseconds(10));
  REQUIRE(record(folder, false, {{"b"}}));
  CHECK(open(folder)->past()->durations.size() == 2);
  CHECK(!std::filesystem::exists(times + ".dat.new"));
  CHECK(!std::filesystem::exists(times + ".dir.new"));
}

}  // namespace
}  // namespace hearth::client
