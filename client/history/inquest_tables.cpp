#include "client/history/inquest_tables.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

#include "client/history/inquest_repository.hpp"

namespace hearth::client {
namespace {

// inquest's one-line summary of a failure: the last line that is not empty.
std::string_view message_of(std::string_view details) {
  constexpr const char* blank = " \t\r\n";
  const auto end = details.find_last_not_of(blank);
  if (end == std::string_view::npos) return "";
  details = details.substr(0, end + 1);
  const auto newline = details.rfind('\n');
  if (newline != std::string_view::npos) details.remove_prefix(newline + 1);
  details.remove_prefix(details.find_first_not_of(blank));
  return details;
}

std::optional<std::string_view> unless_empty(std::string_view text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

bool has_row(Database& database, const char* sql) {
  auto statement = database.prepare(sql);
  return statement.step();
}

// inquest fills that table itself where it is missing or empty.
bool keeps_flakiness(Database& database) {
  if (!has_row(database, "SELECT 1 FROM sqlite_master WHERE name = 'test_flakiness'")) return false;
  return has_row(database, "SELECT 1 FROM test_flakiness LIMIT 1") ||
         !has_row(database, "SELECT 1 FROM test_results LIMIT 1");
}

}  // namespace

std::string inquest_details(const std::vector<Attachment>& attachments) {
  std::string all;
  for (const auto& one : attachments) {
    if (one.name == "traceback") return one.text;
    all += one.text;
  }
  return all;
}

std::string rfc3339(protocol::Timestamp when) {
  using namespace std::chrono;
  const auto day = floor<days>(when);
  const year_month_day date(day);
  const hh_mm_ss time(when - day);
  std::array<char, 64> text{};
  const int size = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02ld:%02ld:%02ld.%09ld+00:00",
      static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
      static_cast<unsigned>(date.day()), static_cast<long>(time.hours().count()),
      static_cast<long>(time.minutes().count()), static_cast<long>(time.seconds().count()),
      static_cast<long>(time.subseconds().count()));
  return {text.data(), static_cast<std::size_t>(size)};
}

InquestTables::InquestTables(Database& database, std::int64_t run)
    : m_database(database),
      m_run(run),
      m_find_result(
          database.prepare("SELECT 1 FROM test_results WHERE run_id = ? AND test_id = ?")),
      m_put_result(database.prepare(
          "REPLACE INTO test_results (run_id, test_id, status, duration_secs, message, details,"
          " tags) VALUES (?, ?, ?, ?, ?, ?, ?)")),
      m_put_failing(
          database.prepare("REPLACE INTO failing_tests (test_id, run_id, status, message, details)"
                           " VALUES (?, ?, ?, ?, ?)")),
      m_remove_failing(
          database.prepare("DELETE FROM failing_tests WHERE test_id = ? AND run_id <> ?")),
      m_put_time(
          database.prepare("REPLACE INTO test_times (test_id, duration_secs) VALUES (?, ?)")) {
  if (keeps_flakiness(database))
    m_put_flakiness.emplace(database.prepare(
        "INSERT INTO test_flakiness (test_id, runs, failures, transitions, last_run_id,"
        " last_failed) VALUES (?, 1, ?, 0, ?, ?)"
        " ON CONFLICT (test_id) DO UPDATE SET runs = runs + 1,"
        " failures = failures + excluded.failures,"
        " transitions = transitions + (last_failed <> excluded.last_failed),"
        " last_run_id = excluded.last_run_id, last_failed = excluded.last_failed"));
}

void InquestTables::write(const InquestRow& row) {
  const std::string_view id = row.id;
  const auto status = inquest_status(row.status);
  const auto message = unless_empty(message_of(row.details));
  const auto details = unless_empty(row.details);
  const bool again = m_find_result.bind(m_run).bind(id).step();
  m_find_result.reset();
  m_put_result.bind(m_run).bind(id).bind(status).bind(row.seconds).bind(message).bind(details);
  m_put_result.bind(std::string_view("worker-" + std::to_string(row.worker))).run();
  if (has_failed(row.status))
    m_put_failing.bind(id).bind(m_run).bind(status).bind(message).bind(details).run();
  else
    m_remove_failing.bind(id).bind(m_run).run();
  if (row.seconds) m_put_time.bind(id).bind(*row.seconds).run();
  if (m_put_flakiness) write_flakiness(row, again);
}

void InquestTables::write_flakiness(const InquestRow& row, bool again) {
  if (again) {
    m_ran_again.insert(row.id);
    return;
  }
  const std::int64_t failed = has_failed(row.status) ? 1 : 0;
  m_put_flakiness->bind(std::string_view(row.id)).bind(failed).bind(m_run).bind(failed).run();
}

// Of a test that ran more than once: what counts is its last result in each run.
void InquestTables::rebuild_flakiness(const std::string& id) {
  std::int64_t runs = 0;
  std::int64_t failures = 0;
  std::int64_t transitions = 0;
  std::int64_t last_run = 0;
  bool last_failed = false;
  auto rows = m_database.prepare(
      "SELECT run_id, status FROM test_results WHERE test_id = ? ORDER BY run_id");
  rows.bind(std::string_view(id));
  while (rows.step()) {
    const bool failed = has_failed(status_from_inquest(rows.text(1)));
    if (runs > 0 && failed != last_failed) ++transitions;
    ++runs;
    failures += failed ? 1 : 0;
    last_run = rows.integer(0);
    last_failed = failed;
  }
  m_database
      .prepare(
          "REPLACE INTO test_flakiness (test_id, runs, failures, transitions, last_run_id,"
          " last_failed) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(std::string_view(id))
      .bind(runs)
      .bind(failures)
      .bind(transitions)
      .bind(last_run)
      .bind(static_cast<std::int64_t>(last_failed))
      .run();
}

void InquestTables::forget_earlier_failures() {
  m_database.prepare("DELETE FROM failing_tests WHERE run_id < ?").bind(m_run).run();
}

void InquestTables::write_summary(const Outcome& outcome, std::size_t workers) {
  for (const auto& id : m_ran_again) rebuild_flakiness(id);
  m_database
      .prepare(
          "UPDATE runs SET (total_tests, failures, skips) ="
          " (SELECT count(*), COALESCE(sum(status IN ('failure', 'error')), 0),"
          " COALESCE(sum(status = 'skip'), 0) FROM test_results WHERE run_id = ?1),"
          " concurrency = ?2 WHERE id = ?1")
      .bind(m_run)
      .bind(static_cast<std::int64_t>(std::max(workers, outcome.slots)))
      .run();
  // Repositories that are older than these columns, and that inq has not opened since.
  if (!has_row(m_database, "SELECT 1 FROM pragma_table_info('runs') WHERE name = 'exit_code'"))
    return;
  const auto& counts = outcome.counts;
  const bool failed = counts.failed + counts.unasked_failures + counts.lost > 0;
  m_database.prepare("UPDATE runs SET duration_secs = ?, exit_code = ? WHERE id = ?")
      .bind(std::chrono::duration<double>(outcome.elapsed).count())
      .bind(static_cast<std::int64_t>(failed))
      .bind(m_run)
      .run();
}

}  // namespace hearth::client
