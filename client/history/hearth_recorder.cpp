#include "client/history/hearth_repository.hpp"
#include "client/history/stream_writer.hpp"

namespace hearth::client {
namespace {

using protocol::TestStatus;

// Results that are held back until they are written in one go.
constexpr std::size_t batch = 4096;
constexpr unsigned ticks_between = 10;         // or for a second
constexpr std::size_t most_rows = 32 * batch;  // then others are waited for
constexpr int patience_ms = 10'000;

constexpr const char* put_test = R"(
INSERT INTO tests (name, duration, failing) VALUES (?1, ?2, ?3)
ON CONFLICT (name) DO UPDATE SET
  duration = COALESCE(excluded.duration, duration),
  failing = COALESCE(excluded.failing, CASE WHEN failing = ?4 THEN failing END)
RETURNING id)";
constexpr const char* put_retried_test = R"(
INSERT INTO tests (name) VALUES (?1) ON CONFLICT (name) DO UPDATE SET name = name RETURNING id)";
constexpr const char* put_result = R"(
INSERT INTO results (run, test, number, status, started_at, duration, worker, retried, flaky)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?))";

std::int64_t count_of(protocol::Timestamp when) {
  return when.time_since_epoch().count();
}

class HearthRecorder : public Recorder {
 public:
  HearthRecorder(std::string path, std::unique_ptr<Database> database, std::int64_t run,
                 StreamWriter stream)
      : m_path(std::move(path)),
        m_database(std::move(database)),
        m_run(run),
        m_stream(std::move(stream)),
        m_put_test(m_database->prepare(put_test)),
        m_put_retried(m_database->prepare(put_retried_test)),
        m_put_result(m_database->prepare(put_result)) {}
  ~HearthRecorder() override;
  HearthRecorder(const HearthRecorder&) = delete;
  HearthRecorder& operator=(const HearthRecorder&) = delete;

  void set_revision(const std::string& revision) override { m_revision = revision; }
  void on_begin(const RunInfo& run) override;
  void on_packet(Worker worker, const protocol::PacketView& packet) override {
    m_stream.on_packet(worker, packet);
  }
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot& snapshot) override;
  void on_end(const Outcome& outcome) override;
  Expected<std::string> finish() override;

 private:
  struct Row {
    std::string id;
    TestStatus status;
    std::optional<std::int64_t> started_at;
    std::optional<std::int64_t> duration;
    Worker worker;
    bool retried;
    bool flaky;
  };

  void write_rows(bool must);
  void write_row(const Row& row);

  std::string m_path;
  std::unique_ptr<Database> m_database;
  std::int64_t m_run;
  std::string m_revision;
  StreamWriter m_stream;
  Statement m_put_test;
  Statement m_put_retried;
  Statement m_put_result;
  std::vector<Row> m_rows;
  std::int64_t m_results = 0;
  std::int64_t m_failures = 0;
  unsigned m_ticks = 0;
  bool m_all = false;
  bool m_begun = false;
};

// A run that never began leaves nothing; one that was abandoned stays as it is.
HearthRecorder::~HearthRecorder() {
  if (m_begun) {
    write_rows(true);
    return;
  }
  m_database->prepare("DELETE FROM runs WHERE id = ?").bind(m_run).run();
  static_cast<void>(remove((m_path + "/runs/" + std::to_string(m_run)).c_str()));
}

void HearthRecorder::on_begin(const RunInfo& run) {
  m_begun = !run.ids->empty();
  m_all = run.all;
  m_database->prepare("UPDATE runs SET started_at = ?, workers = ?, revision = ? WHERE id = ?")
      .bind(count_of(run.started_at))
      .bind(static_cast<std::int64_t>(run.workers))
      .bind(std::string_view(m_revision))
      .bind(m_run)
      .run();
}

void HearthRecorder::on_result(const TestReport& report, const Counts&) {
  m_stream.on_result(report);
  Row row{report.id, report.status, {}, {}, report.worker, report.will_retry, false};
  if (report.started_at) row.started_at = count_of(*report.started_at);
  if (const auto duration = report.duration()) row.duration = duration->count();
  row.flaky = report.attempt > 1 && report.status == TestStatus::success;
  m_rows.push_back(std::move(row));
  if (m_rows.size() >= batch) write_rows(m_rows.size() >= most_rows);
}

void HearthRecorder::on_tick(const Snapshot&) {
  m_stream.flush();
  if (++m_ticks % ticks_between == 0) write_rows(false);
}

// While the run goes on, it does not wait for others who write.
void HearthRecorder::write_rows(bool must) {
  if (m_rows.empty()) return;
  if (!m_database->failed() && !m_database->begin(must ? patience_ms : 0, must) && !must) return;
  for (const auto& row : m_rows) write_row(row);
  m_database->run("COMMIT");
  m_rows.clear();
}

void HearthRecorder::write_row(const Row& row) {
  const bool failed = has_failed(row.status);
  auto& put = row.retried ? m_put_retried : m_put_test;
  put.bind(std::string_view(row.id));
  if (!row.retried) {
    put.bind(row.duration);
    put.bind(failed ? std::optional(m_run) : std::nullopt).bind(m_run);
    m_failures += failed ? 1 : 0;
  }
  const std::int64_t test = put.step() ? put.integer(0) : 0;
  put.run();  // to its end
  m_put_result.bind(m_run)
      .bind(test)
      .bind(++m_results)
      .bind(static_cast<std::int64_t>(row.status))
      .bind(row.started_at)
      .bind(row.duration)
      .bind(static_cast<std::int64_t>(row.worker))
      .bind(static_cast<std::int64_t>(row.retried))
      .bind(static_cast<std::int64_t>(row.flaky))
      .run();
}

void HearthRecorder::on_end(const Outcome& outcome) {
  if (!m_begun) return;
  const bool stopped = outcome.interrupted || outcome.stopped_early || outcome.counts.missing() > 0;
  write_rows(true);
  m_stream.flush();
  m_database->begin(patience_ms, true);
  if (m_all && !stopped)
    m_database->prepare("UPDATE tests SET failing = NULL WHERE failing < ?").bind(m_run).run();
  m_database
      ->prepare(
          "UPDATE runs SET state = ?, elapsed = ?, results = ?, failures = ?, stream_size = ?"
          " WHERE id = ?")
      .bind(static_cast<std::int64_t>(stopped ? RunState::partial : RunState::complete))
      .bind(static_cast<std::int64_t>(outcome.elapsed.count()))
      .bind(m_results)
      .bind(m_failures)
      .bind(static_cast<std::int64_t>(m_stream.size()))
      .bind(m_run)
      .run();
  m_database->run("COMMIT");
  if (!m_database->failed()) prune(*m_database, m_path);
}

Expected<std::string> HearthRecorder::finish() {
  if (!m_begun) return "";
  if (m_database->failed())
    return tl::unexpected(m_database->error("record the run in " + m_path + "/history.db"));
  if (const auto written = m_stream.finish(); !written) return tl::unexpected(written.error());
  return std::to_string(m_run);
}

}  // namespace

Expected<std::unique_ptr<Recorder>> make_hearth_recorder(const std::string& path) {
  auto database = make_hearth_database(path);
  if (!database) return tl::unexpected(database.error());
  (*database)
      ->prepare("INSERT INTO runs (state) VALUES (?)")
      .bind(static_cast<std::int64_t>(RunState::begun))
      .run();
  if ((*database)->failed())
    return tl::unexpected((*database)->error("record the run in " + path + "/history.db"));
  const auto run = (*database)->last_insert_id();
  auto stream = StreamWriter::create(path + "/runs/" + std::to_string(run));
  if (!stream) return tl::unexpected(stream.error());
  return std::make_unique<HearthRecorder>(path, std::move(*database), run, std::move(*stream));
}

}  // namespace hearth::client
