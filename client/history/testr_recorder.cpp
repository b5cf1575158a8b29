#include <charconv>
#include <unordered_set>

#include "client/history/attachment_store.hpp"
#include "client/history/testr_repository.hpp"
#include "client/history/times_file.hpp"
#include "client/history/v1_writer.hpp"
#include "client/history/v2_writer.hpp"

namespace hearth::client {
namespace {

class TestrRecorder : public Recorder {
 public:
  TestrRecorder(TestrKind kind, std::string path, std::chrono::milliseconds patience, NewFile run,
                NewFile failed)
      : m_kind(kind),
        m_of_inquest(is_of_inquest(path)),
        m_path(std::move(path)),
        m_patience(patience),
        m_run(std::move(run)),
        m_failed(std::move(failed)) {}

  void on_begin(const RunInfo& run) override {
    m_begun = !run.ids->empty();
    m_all = run.all;
    m_now = run.started_at;
  }
  void on_packet(Worker worker, const protocol::PacketView& packet) override {
    if (packet.timestamp) m_now = *packet.timestamp;
    m_attachments.add(worker, packet);
  }
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_end(const Outcome& outcome) override;
  Expected<std::string> finish() override { return m_result; }

 private:
  Expected<std::string> put_in_place(bool whole);
  Expected<std::string> put_run();
  Expected<void> put_failing(bool whole);
  Expected<void> put_times();
  [[nodiscard]] bool has_run(const std::string& id) const {
    return m_durations.contains(id) || m_untimed_ids.contains(id);
  }

  [[nodiscard]] std::string text_of(const StoredResult& result,
                                    protocol::Timestamp otherwise) const;

  TestrKind m_kind;
  bool m_of_inquest;
  std::string m_path;
  std::chrono::milliseconds m_patience;
  NewFile m_run;
  NewFile m_failed;  // the failing tests of this run, to become (part of) `failing`
  AttachmentStore m_attachments;
  protocol::Timestamp m_now{};
  bool m_all = false;
  bool m_begun = false;
  std::unordered_set<std::string> m_untimed_ids;  // with a result, but without a duration
  std::unordered_set<std::string> m_failed_ids;
  Durations m_durations;
  Expected<std::string> m_result;  // empty: there is nothing to be recorded
};

std::string TestrRecorder::text_of(const StoredResult& result,
                                   protocol::Timestamp otherwise) const {
  std::string text;
  if (m_of_inquest)
    append_v2(text, result);
  else
    append_v1(text, result, otherwise);
  return text;
}

void TestrRecorder::on_result(const TestReport& report, const Counts&) {
  StoredResult result;
  result.attachments = m_attachments.take(report.worker, report.id);
  if (report.will_retry) return;
  result.id = report.id;
  result.status = report.status;
  result.started_at = report.started_at;
  result.duration = report.duration();
  result.worker = report.worker;
  if (result.attachments.empty()) result.attachments = report.attachments;
  const auto text = text_of(result, report.ended_at.value_or(m_now));
  m_run.write(text);
  if (has_failed(report.status) && m_failed_ids.insert(report.id).second) m_failed.write(text);
  if (const auto duration = report.duration())
    m_durations.insert_or_assign(report.id, *duration);
  else
    m_untimed_ids.insert(report.id);
}

void TestrRecorder::on_end(const Outcome& outcome) {
  if (!m_begun) return;
  const bool whole = m_all && !outcome.interrupted && !outcome.stopped_early &&
                     outcome.missing.empty() && outcome.doubts.empty() &&
                     outcome.counts.missing() == 0;
  m_result = put_in_place(whole);
}

Expected<std::string> TestrRecorder::put_in_place(bool whole) {
  const auto lock = DirectoryLock::take(m_path, m_patience);
  if (!lock) return tl::unexpected(lock.error());
  auto name = put_run();
  if (!name) return name;
  const auto failing = put_failing(whole);
  const auto times = put_times();
  if (!failing) return tl::unexpected(failing.error());
  if (!times) return tl::unexpected(times.error());
  return name;
}

// The run first and then `next-stream`: one that was interrupted between them does not leave the
// number of a run that is not there.
Expected<std::string> TestrRecorder::put_run() {
  const std::string counter = m_path + "/next-stream";
  const auto content = read_file(counter);
  if (!content)
    return tl::unexpected(Error{content.error().attempted, content.error().cause,
                                "write the number into it that follows that of the last run"});
  std::uint64_t number = 0;
  const auto [end, fault] =
      std::from_chars(content->data(), content->data() + content->size(), number);
  if (fault != std::errc() || std::string_view(end).find_first_not_of(" \n") != std::string::npos)
    return tl::unexpected(
        Error{"record the run in " + m_path, counter + " holds no number",
              "write the number into it that follows that of the last run in " + m_path});
  for (;; ++number) {
    const auto put = m_run.put_as_new(m_path + "/" + std::to_string(number));
    if (!put) return tl::unexpected(put.error());
    if (*put) break;
  }
  const auto counted = replace_file(counter, std::to_string(number + 1) + "\n");
  if (!counted) return tl::unexpected(counted.error());
  return std::to_string(number);
}

Expected<void> TestrRecorder::put_failing(bool whole) {
  if (!whole) {
    const auto read = read_failing_file(m_path, Detail::everything, [&](StoredResult&& result) {
      if (has_run(result.id)) return;
      m_failed.write(text_of(result, m_now));
    });
    if (!read) return read;
  }
  return m_failed.put(m_path + "/failing");
}

// stestr looks for ids without their tags, we for whole ones.
Expected<void> TestrRecorder::put_times() {
  const bool of_stestr = m_kind == TestrKind::stestr;
  Durations stripped;
  for (const auto& [id, duration] : m_durations)
    if (of_stestr && id.find('[') != std::string::npos)
      stripped.insert_or_assign(without_tags(id), duration);
  m_durations.merge(stripped);
  if (m_of_inquest && find_times(m_path + "/times.dbm") == TimesKind::none)
    return update_sqlite_times(m_path + "/times.dbm", m_durations);
  return TimesFile(m_path, of_stestr).update(m_durations);
}

}  // namespace

Expected<std::unique_ptr<Recorder>> make_testr_recorder(TestrKind kind, const std::string& path,
                                                        std::chrono::milliseconds lock_patience) {
  auto run = NewFile::in(path);
  if (!run) return tl::unexpected(run.error());
  auto failed = NewFile::in(path);
  if (!failed) return tl::unexpected(failed.error());
  return std::make_unique<TestrRecorder>(kind, path, lock_patience, std::move(*run),
                                         std::move(*failed));
}

}  // namespace hearth::client
