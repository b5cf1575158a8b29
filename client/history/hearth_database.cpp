#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "client/history/files.hpp"
#include "client/history/hearth_repository.hpp"

namespace hearth::client {
namespace {

constexpr std::int64_t application_id = 0x48727468;  // "Hrth"
constexpr std::int64_t version = 1;

// Times are nanoseconds: points since 1970, and durations. A test's `failing` is the run in which
// it failed, and NULL where it passed when it ran last. Statuses are those of subunit v2's wire.
constexpr const char* schema = R"(
CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  state INTEGER NOT NULL,
  started_at INTEGER,
  elapsed INTEGER,
  workers INTEGER,
  results INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  stream_size INTEGER,
  revision TEXT NOT NULL DEFAULT ''
);
CREATE TABLE tests (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  duration INTEGER,
  failing INTEGER
);
CREATE INDEX failing_tests ON tests (failing) WHERE failing IS NOT NULL;
CREATE TABLE results (
  run INTEGER NOT NULL,
  test INTEGER NOT NULL,
  number INTEGER NOT NULL,  -- in the run, in the order in which they came
  status INTEGER NOT NULL,
  started_at INTEGER,
  duration INTEGER,
  worker INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  flaky INTEGER NOT NULL,
  PRIMARY KEY (run, test, number)
) WITHOUT ROWID;
PRAGMA application_id = 1215460456;
PRAGMA user_version = 1;
)";
static_assert(application_id == 1215460456);

std::string database_file(const std::string& path) {
  return path + "/history.db";
}

std::int64_t pragma(Database& database, const char* sql) {
  auto statement = database.prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

Expected<std::unique_ptr<Database>> checked(std::unique_ptr<Database> database,
                                            const std::string& path) {
  const std::string attempted = "open " + database_file(path);
  const auto id = pragma(*database, "PRAGMA application_id");
  const auto found = pragma(*database, "PRAGMA user_version");
  if (database->failed()) return tl::unexpected(database->error(attempted));
  if (id != application_id)
    return tl::unexpected(Error{attempted, "it is no history of hearth's",
                                "move it away; the next run makes a new one"});
  if (found != version)
    return tl::unexpected(Error{
        attempted,
        "its format is " + std::to_string(found) + "; this hearth knows " + std::to_string(version),
        "use the hearth that made it, or move " + path + " away"});
  return database;
}

Expected<void> make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return {};
  return tl::unexpected(system_error("make " + path, errno));
}

}  // namespace

Expected<std::unique_ptr<Database>> open_hearth_database(const std::string& path) {
  // Where nothing can be written, SQLite cannot share the file with writers, and there are none.
  const auto access =
      ::access(path.c_str(), W_OK) == 0 ? Database::Access::write : Database::Access::immutable;
  auto database = Database::open(database_file(path), access);
  if (!database) return database;
  return checked(std::move(*database), path);
}

Expected<std::unique_ptr<Database>> make_hearth_database(const std::string& path) {
  if (const auto made = make_directory(path); !made) return tl::unexpected(made.error());
  if (::access(path.c_str(), W_OK) != 0)
    return tl::unexpected(system_error("write to " + path, errno));
  const auto lock = DirectoryLock::take(path, std::chrono::seconds(10));
  if (!lock) return tl::unexpected(lock.error());
  if (const auto made = make_directory(path + "/runs"); !made) return tl::unexpected(made.error());
  auto database = Database::open(database_file(path), Database::Access::create);
  if (!database) return database;
  auto& made = **database;
  if (pragma(made, "PRAGMA user_version") == 0 &&
      pragma(made, "SELECT count(*) FROM sqlite_schema") == 0) {
    static_cast<void>(replace_file(path + "/.gitignore", "*\n"));  // a comfort only
    made.run("PRAGMA synchronous = NORMAL");
    made.run("PRAGMA journal_mode = WAL");
    made.run("BEGIN IMMEDIATE");
    made.run(schema);
    made.run("COMMIT");
  }
  made.run("PRAGMA synchronous = NORMAL");
  return checked(std::move(*database), path);
}

}  // namespace hearth::client
