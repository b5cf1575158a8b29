#include <unistd.h>

#include <cerrno>
#include <chrono>

#include "client/history/attachment_store.hpp"
#include "client/history/files.hpp"
#include "client/history/inquest_repository.hpp"
#include "client/history/inquest_tables.hpp"
#include "client/history/stream_writer.hpp"

namespace hearth::client {
namespace {

// Results that are held back until they are written in one go.
constexpr std::size_t batch = 4096;
constexpr std::size_t batch_bytes = std::size_t{8} << 20;  // of their texts
constexpr unsigned ticks_between = 20;                     // or for two seconds
constexpr std::size_t most_rows = 32 * batch;              // then others are waited for
constexpr std::size_t most_bytes = 4 * batch_bytes;
constexpr int patience_ms = 10'000;

class InquestRecorder : public Recorder {
 public:
  InquestRecorder(std::string path, std::unique_ptr<Database> database, std::int64_t run,
                  StreamWriter stream)
      : m_path(std::move(path)),
        m_database(std::move(database)),
        m_run(run),
        m_stream(std::move(stream)),
        m_tables(*m_database, run) {}
  ~InquestRecorder() override;
  InquestRecorder(const InquestRecorder&) = delete;
  InquestRecorder& operator=(const InquestRecorder&) = delete;

  void on_begin(const RunInfo& run) override;
  void on_packet(Worker worker, const protocol::PacketView& packet) override {
    m_attachments.add(worker, packet);
    m_stream.on_packet(worker, packet);
  }
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot& snapshot) override;
  void on_end(const Outcome& outcome) override;
  Expected<std::string> finish() override;

 private:
  void write_rows(bool must);
  [[nodiscard]] std::string run_file() const { return m_path + "/runs/" + std::to_string(m_run); }

  std::string m_path;
  std::unique_ptr<Database> m_database;
  std::int64_t m_run;
  StreamWriter m_stream;
  InquestTables m_tables;
  AttachmentStore m_attachments;
  std::vector<InquestRow> m_rows;
  std::size_t m_row_bytes = 0;
  std::size_t m_workers = 0;
  unsigned m_ticks = 0;
  bool m_all = false;
  bool m_begun = false;
};

InquestRecorder::~InquestRecorder() {
  write_rows(true);
  unlink((run_file() + ".lock").c_str());
  if (m_begun) return;
  m_database->prepare("DELETE FROM runs WHERE id = ?").bind(m_run).run();
  unlink(run_file().c_str());
}

void InquestRecorder::on_begin(const RunInfo& run) {
  m_begun = !run.ids->empty();
  m_all = run.all;
  m_workers = run.workers;
  m_database->prepare("UPDATE runs SET timestamp = ? WHERE id = ?")
      .bind(std::string_view(rfc3339(run.started_at)))
      .bind(m_run)
      .run();
}

void InquestRecorder::on_result(const TestReport& report, const Counts&) {
  m_stream.on_result(report);
  auto attachments = m_attachments.take(report.worker, report.id);
  if (report.will_retry) return;
  if (attachments.empty()) attachments = report.attachments;
  InquestRow row{report.id, report.status, {}, report.worker, inquest_details(attachments)};
  if (const auto duration = report.duration())
    row.seconds = std::chrono::duration<double>(*duration).count();
  m_row_bytes += row.details.size();
  m_rows.push_back(std::move(row));
  if (m_rows.size() >= batch || m_row_bytes >= batch_bytes)
    write_rows(m_rows.size() >= most_rows || m_row_bytes >= most_bytes);
}

void InquestRecorder::on_tick(const Snapshot&) {
  m_stream.flush();
  if (++m_ticks % ticks_between == 0) write_rows(false);
}

// While the run goes on, it does not wait for others who write.
void InquestRecorder::write_rows(bool must) {
  if (m_rows.empty()) return;
  if (!m_database->failed() && !m_database->begin(must ? patience_ms : 0, must) && !must) return;
  for (const auto& row : m_rows) m_tables.write(row);
  m_database->run("COMMIT");
  m_rows.clear();
  m_row_bytes = 0;
}

void InquestRecorder::on_end(const Outcome& outcome) {
  if (!m_begun) return;
  const bool stopped = outcome.interrupted || outcome.stopped_early || outcome.counts.missing() > 0;
  write_rows(true);
  m_stream.flush();
  m_database->begin(patience_ms, true);
  if (m_all && !stopped) m_tables.forget_earlier_failures();
  m_tables.write_summary(outcome, m_workers);
  m_database->run("COMMIT");
}

Expected<std::string> InquestRecorder::finish() {
  if (!m_begun) return "";
  if (m_database->failed())
    return tl::unexpected(m_database->error("record the run in " + m_path + "/metadata.db"));
  if (const auto written = m_stream.finish(); !written) return tl::unexpected(written.error());
  return std::to_string(m_run);
}

std::int64_t begin_run(Database& database) {
  database.run("BEGIN IMMEDIATE");
  std::int64_t run = 0;
  {
    auto next = database.prepare("SELECT COALESCE(MAX(id) + 1, 0) FROM runs");
    if (next.step()) run = next.integer(0);
  }
  const auto now = std::chrono::time_point_cast<nanoseconds>(std::chrono::system_clock::now());
  database.prepare("INSERT INTO runs (id, timestamp) VALUES (?, ?)")
      .bind(run)
      .bind(std::string_view(rfc3339(now)))
      .run();
  database.run("COMMIT");
  return run;
}

}  // namespace

Expected<std::unique_ptr<Recorder>> make_inquest_recorder(const std::string& path) {
  if (access(path.c_str(), W_OK) != 0)
    return tl::unexpected(system_error("write to " + path, errno));
  auto database = open_inquest_database(path);
  if (!database) return tl::unexpected(database.error());
  const auto run = begin_run(**database);
  if ((*database)->failed())
    return tl::unexpected((*database)->error("record the run in " + path + "/metadata.db"));
  const std::string file = path + "/runs/" + std::to_string(run);
  unlink(file.c_str());  // of a run that inquest has forgotten
  auto stream = StreamWriter::create(file);
  if (!stream) return tl::unexpected(stream.error());
  const auto locked = replace_file(file + ".lock", std::to_string(getpid()));
  if (!locked) return tl::unexpected(locked.error());
  return std::make_unique<InquestRecorder>(path, std::move(*database), run, std::move(*stream));
}

}  // namespace hearth::client
