// times.dbm as Python 3.13's dbm.sqlite3 makes it: one table, Dict, with columns key and value.
#include "client/history/sqlite.hpp"
#include "client/history/times_file.hpp"

namespace hearth::client {

Expected<Durations> read_sqlite_times(const std::string& path) {
  const auto database = Database::open(path, Database::Access::read);
  if (!database) return tl::unexpected(database.error());
  Durations durations;
  auto rows = (*database)->prepare("SELECT CAST(key AS TEXT), CAST(value AS TEXT) FROM Dict");
  while (rows.step())
    if (const auto duration = duration_from_python(rows.text(1)))
      durations.insert_or_assign(std::string(rows.text(0)), *duration);
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read the durations in " + path));
  return durations;
}

Expected<void> update_sqlite_times(const std::string& path, const Durations& durations) {
  const auto database = Database::open(path, Database::Access::create);
  if (!database) return tl::unexpected(database.error());
  (*database)->run(
      "BEGIN IMMEDIATE;"
      "CREATE TABLE IF NOT EXISTS Dict (key BLOB UNIQUE NOT NULL, value BLOB NOT NULL)");
  auto put = (*database)->prepare(
      "REPLACE INTO Dict (key, value) VALUES (CAST(? AS BLOB), CAST(? AS BLOB))");
  for (const auto& [id, duration] : durations)
    put.bind(std::string_view(id)).bind(std::string_view(duration_to_python(duration))).run();
  (*database)->run("COMMIT");
  if (!(*database)->failed()) return {};
  return tl::unexpected((*database)->error("write the durations to " + path));
}

}  // namespace hearth::client
