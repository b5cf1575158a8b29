#include "client/history/hearth_repository.hpp"

#include <set>

#include "client/history/files.hpp"
#include "client/history/stream_reader.hpp"

namespace hearth::client {
namespace {

StoredRun run_from(const Statement& row, int name, int started_at, int state) {
  StoredRun run{std::to_string(row.integer(name)), std::nullopt,
                static_cast<RunState>(row.integer(state)) == RunState::complete};
  if (!row.is_null(started_at))
    run.started_at = protocol::Timestamp(nanoseconds(row.integer(started_at)));
  return run;
}

// Columns: name, status, started_at, duration, worker, retried, flaky.
StoredResult result_from(const Statement& row) {
  StoredResult result;
  result.id = row.text(0);
  result.status = static_cast<protocol::TestStatus>(row.integer(1));
  if (!row.is_null(2)) result.started_at = protocol::Timestamp(nanoseconds(row.integer(2)));
  if (!row.is_null(3)) result.duration = nanoseconds(row.integer(3));
  result.worker = static_cast<Worker>(row.integer(4));
  result.retried = row.integer(5) != 0;
  result.flaky = row.integer(6) != 0;
  return result;
}

StoredResult failed_test(const std::string& id) {
  StoredResult result;
  result.id = id;
  result.status = protocol::TestStatus::fail;
  return result;
}

}  // namespace

std::string HearthRepository::description() const {
  return "the history in " + m_path;
}

Expected<std::unique_ptr<Recorder>> HearthRepository::record() {
  return make_hearth_recorder(m_path);
}

Expected<Past> HearthRepository::past() {
  if (!exists(m_path + "/history.db")) return Past();
  const auto database = open_hearth_database(m_path);
  if (!database) return tl::unexpected(database.error());
  Past past;
  {
    auto count = (*database)->prepare("SELECT max(id) FROM tests");
    if (count.step()) past.durations.reserve(static_cast<std::size_t>(count.integer(0)));
  }
  auto rows = (*database)->prepare("SELECT name, duration, failing FROM tests");
  while (rows.step()) {
    if (!rows.is_null(2)) past.failing.emplace_back(rows.text(0));
    if (!rows.is_null(1)) past.durations.emplace(rows.text(0), nanoseconds(rows.integer(1)));
  }
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read " + m_path + "/history.db"));
  return past;
}

Expected<std::vector<StoredRun>> HearthRepository::runs() {
  const auto database = open_hearth_database(m_path);
  if (!database) return tl::unexpected(database.error());
  std::vector<StoredRun> runs;
  auto rows = (*database)->prepare("SELECT id, started_at, state, revision FROM runs ORDER BY id");
  while (rows.step()) {
    runs.push_back(run_from(rows, 0, 1, 2));
    runs.back().revision = rows.text(3);
  }
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read " + m_path + "/history.db"));
  return runs;
}

Expected<void> HearthRepository::read_run(const StoredRun& run, Detail detail,
                                          const ResultSink& sink) {
  const std::string stream = m_path + "/runs/" + run.name;
  if (detail == Detail::everything && exists(stream)) {
    const auto read = read_stream(stream, detail, sink);
    if (!read) return tl::unexpected(read.error());
    return {};
  }
  const auto database = open_hearth_database(m_path);
  if (!database) return tl::unexpected(database.error());
  auto rows = (*database)->prepare(
      "SELECT name, status, results.started_at, results.duration, worker, retried, flaky"
      " FROM results JOIN tests ON tests.id = test WHERE run = CAST(? AS INTEGER) ORDER BY number");
  rows.bind(std::string_view(run.name));
  while (rows.step()) sink(result_from(rows));
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read " + m_path + "/history.db"));
  return {};
}

Expected<void> HearthRepository::read_failing(Detail detail, const ResultSink& sink) {
  const auto database = open_hearth_database(m_path);
  if (!database) return tl::unexpected(database.error());
  std::vector<std::pair<std::string, std::set<std::string>>> by_run;
  {
    auto rows = (*database)->prepare(
        "SELECT failing, name FROM tests WHERE failing IS NOT NULL ORDER BY failing, name");
    while (rows.step()) {
      if (by_run.empty() || by_run.back().first != rows.text(0))
        by_run.emplace_back(rows.text(0), std::set<std::string>());
      by_run.back().second.emplace(rows.text(1));
    }
  }
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read " + m_path + "/history.db"));
  for (auto& [run, ids] : by_run) {
    if (detail == Detail::verdicts) {
      for (const auto& id : ids) sink(failed_test(id));
      continue;
    }
    const auto read =
        read_run({run, std::nullopt, true}, Detail::everything, [&](StoredResult&& result) {
          if (has_failed(result.status) && !result.retried && ids.erase(result.id) > 0)
            sink(std::move(result));
        });
    if (!read) return read;
    for (const auto& id : ids) sink(failed_test(id));  // the fact is all that is left
  }
  return {};
}

Expected<void> HearthRepository::read_test(
    const std::string& id, const std::function<void(const StoredRun&, StoredResult&&)>& sink) {
  const auto database = open_hearth_database(m_path);
  if (!database) return tl::unexpected(database.error());
  // By run, so that each is one look-up in the key of `results`.
  auto rows = (*database)->prepare(
      "SELECT tests.name, status, results.started_at, results.duration, worker, retried, flaky,"
      " runs.id, runs.started_at, state"
      " FROM tests CROSS JOIN runs CROSS JOIN results ON run = runs.id AND test = tests.id"
      " WHERE name = ? ORDER BY runs.id, number");
  rows.bind(std::string_view(id));
  while (rows.step()) sink(run_from(rows, 7, 8, 9), result_from(rows));
  if ((*database)->failed())
    return tl::unexpected((*database)->error("read " + m_path + "/history.db"));
  return {};
}

}  // namespace hearth::client
