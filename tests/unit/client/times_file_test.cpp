#include "client/history/times_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>

#include "client/history/revision.hpp"
#include "client/history/sqlite.hpp"
#include "tests/support/temporary_folder.hpp"

namespace hearth::client {
namespace {

using namespace std::chrono_literals;
using hearth::test::TemporaryFolder;

TEST_CASE("TimesFile: durations as Python's float() and str() have them") {
  CHECK(duration_to_python(1500ms) == "1.500000000");
  CHECK(duration_to_python(0ns) == "0.000000001");
  CHECK(duration_to_python(-5ns) == "0.000000001");
  CHECK(duration_to_python(86400s * 365) == "31536000.000000000");
  CHECK(duration_from_python("1.5") == 1500ms);
  CHECK(duration_from_python("1e-06") == 1us);
  CHECK(duration_from_python("3") == 3s);
  CHECK(!duration_from_python(""));
  CHECK(!duration_from_python("x"));
  CHECK(!duration_from_python("nan"));
  CHECK(!duration_from_python("inf"));
  CHECK(!duration_from_python("-1"));
  CHECK(!duration_from_python("1e300"));
}

TEST_CASE("TimesFile: dbm.dumb as Python writes it: quotes, escapes, Latin-1, 512 bytes a value") {
  TemporaryFolder folder;
  folder.write("times.dbm.dir",
               "'plain', (0, 3)\n"
               "\"it's\", (512, 8)\n"
               "'gr\xc3\xb6\\x9f\\xc3e\\n\\t\\\\\\'\"', (1024, 5)\n");
  std::string values(1024 + 5, '\0');
  values.replace(0, 3, "1.5");
  values.replace(512, 8, "0.000012");
  values.replace(1024, 5, "2e-05");
  folder.write("times.dbm.dat", values);
  const auto found = TimesFile(folder.path(), false).read();
  REQUIRE(found);
  CHECK(found->size() == 3);
  CHECK(found->at("plain") == 1500ms);
  CHECK(found->at("it's") == 12us);
  CHECK(found->at("gr\xc3\xb6\x9f\xc3"
                  "e\n\t\\'\"") == 20us);
}

TEST_CASE("TimesFile: damage of dbm.dumb is told, wherever it is") {
  const std::string good = "'a', (0, 3)\n";
  for (const std::string bad :
       {"a, (0, 3)", "'a, (0, 3)", "'a' (0, 3)", "'a', (x, 3)", "'a', (0, 3", "'a\\q', (0, 3)",
        "'a\\x1', (0, 3)", "", "'a', (99, 3)"}) {
    TemporaryFolder folder;
    folder.write("times.dbm.dir", good + bad + "\n");
    folder.write("times.dbm.dat", "1.5");
    const auto found = TimesFile(folder.path(), false).read();
    REQUIRE_MESSAGE(!found, bad);
    CHECK(found.error().cause == "line 2 is damaged");
  }
}

TEST_CASE("TimesFile: Python 3.13's SQLite file is read and changed") {
  TemporaryFolder folder;
  {
    const auto database =
        Database::open(folder.path() / "times.dbm", Database::Access::create).value();
    database->run(
        "CREATE TABLE Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL);"
        "INSERT INTO Dict VALUES (CAST('a' AS BLOB), CAST('1.5' AS BLOB))");
    REQUIRE(!database->failed());
  }
  CHECK(find_times((folder.path() / "times.dbm").string()) == TimesKind::sqlite);
  REQUIRE(TimesFile(folder.path(), false).update({{"b", 2s}}));
  const auto found = TimesFile(folder.path(), false).read().value();
  CHECK(found.size() == 2);
  CHECK(found.at("a") == 1500ms);
  CHECK(found.at("b") == 2s);
}

TEST_CASE("TimesFile: a damaged Berkeley file is told and left alone") {
  TemporaryFolder folder;
  folder.write("times.dbm.db", std::string(5000, 'x'));
  const auto updated = TimesFile(folder.path(), false).update({{"b", 2s}});
  REQUIRE(!updated);
  CHECK(updated.error().text().find("times.dbm.db") != std::string::npos);
  CHECK(!updated.error().remedy.empty());
  CHECK(std::filesystem::file_size(folder.path() / "times.dbm.db") == 5000);
  CHECK(!std::filesystem::exists(folder.path() / "times.dbm.db.new"));
}

TEST_CASE("revision_of: changes with the files that the commands name") {
  TemporaryFolder folder;
  const auto program = folder.write("foo_test", "one").string();
  const std::vector<std::vector<std::string>> commands{
      {"/bin/sh", "-c", "exec hearth serve foo=" + program},
      {"/bin/sh", "-c", "exec hearth serve foo=" + program}};
  const auto before = revision_of(commands);
  CHECK(before.size() == 16);
  CHECK(revision_of(commands) == before);
  folder.write("foo_test", "two, longer");
  CHECK(revision_of(commands) != before);
  CHECK(revision_of({{"no-such-file", "ssh host hearth"}}).empty());
}

}  // namespace
}  // namespace hearth::client
