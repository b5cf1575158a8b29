#include <unistd.h>

#include <vector>

#include "client/history/hearth_repository.hpp"

namespace hearth::client {
namespace {

// docs/history.md, "What is kept".
constexpr std::int64_t runs_with_stream = 100;
constexpr std::int64_t stream_bytes = std::int64_t{256} << 20;
constexpr std::int64_t runs_kept = 1000;
constexpr std::int64_t results_kept = 5'000'000;

std::vector<std::int64_t> runs_beyond(Database& database, const char* sql, std::int64_t count,
                                      std::int64_t sum) {
  std::vector<std::int64_t> runs;
  auto rows = database.prepare(sql);
  rows.bind(count).bind(sum);
  while (rows.step()) runs.push_back(rows.integer(0));
  return runs;
}

}  // namespace

// The newest run always stays.
void prune(Database& database, const std::string& path) {
  const auto without_stream = runs_beyond(
      database,
      "SELECT id FROM (SELECT id, stream_size, row_number() OVER newest AS place,"
      " sum(stream_size) OVER newest AS total FROM runs WHERE stream_size IS NOT NULL"
      " WINDOW newest AS (ORDER BY id DESC)) WHERE place > 1 AND (place > ? OR total > ?)",
      runs_with_stream, stream_bytes);
  const auto gone = runs_beyond(database,
                                "SELECT id FROM (SELECT id, row_number() OVER newest AS place, "
                                "sum(results) OVER newest AS total"
                                " FROM runs WINDOW newest AS (ORDER BY id DESC)) WHERE place > 1 "
                                "AND (place > ? OR total > ?)",
                                runs_kept, results_kept);
  if (without_stream.empty() && gone.empty()) return;
  database.run("BEGIN IMMEDIATE");
  auto forget_stream = database.prepare("UPDATE runs SET stream_size = NULL WHERE id = ?");
  for (const auto run : without_stream) forget_stream.bind(run).run();
  auto forget_results = database.prepare("DELETE FROM results WHERE run = ?");
  auto forget_run = database.prepare("DELETE FROM runs WHERE id = ?");
  for (const auto run : gone) {
    forget_results.bind(run).run();
    forget_run.bind(run).run();
  }
  database.run("COMMIT");
  if (database.failed()) return;
  for (const auto run : without_stream) unlink((path + "/runs/" + std::to_string(run)).c_str());
  for (const auto run : gone) unlink((path + "/runs/" + std::to_string(run)).c_str());
}

}  // namespace hearth::client
