// The repositories of testr (.testrepository/) and stestr (.stestr/): a file of subunit v1 for each
// run, `next-stream` with the next one's number, `failing` with the current failures, and the times
// of tests. Neither tool takes locks; writers of ours take the directory's. docs/history.md.
#pragma once

#include <memory>
#include <string>

#include "client/history/files.hpp"
#include "client/history/repository.hpp"

namespace hearth::client {

enum class TestrKind : std::uint8_t { testr, stestr };

class TestrRepository : public Repository {
 public:
  // `path`: of the repository itself. An error where its format is not the known one.
  [[nodiscard]] static Expected<std::unique_ptr<Repository>> open(
      TestrKind kind, const std::string& path, std::chrono::milliseconds lock_patience);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] std::string lacking() const override;
  [[nodiscard]] Expected<Past> past() override;
  [[nodiscard]] Expected<std::unique_ptr<Recorder>> record() override;
  [[nodiscard]] Expected<std::vector<StoredRun>> runs() override;
  [[nodiscard]] Expected<void> read_run(const StoredRun& run, Detail detail,
                                        const ResultSink& sink) override;
  [[nodiscard]] Expected<void> read_failing(Detail detail, const ResultSink& sink) override;

 private:
  TestrRepository(TestrKind kind, std::string path, std::chrono::milliseconds lock_patience)
      : m_kind(kind), m_path(std::move(path)), m_lock_patience(lock_patience) {}

  TestrKind m_kind;
  std::string m_path;
  std::chrono::milliseconds m_lock_patience;
};

// Hands over the results in `path`/failing. An error where something else is in it, too: written
// anew it would be lost.
[[nodiscard]] Expected<void> read_failing_file(const std::string& path, Detail detail,
                                               const ResultSink& sink);

// Writes a run: its text as it happens, to a file without a name; the rest in the end, under the
// lock.
[[nodiscard]] Expected<std::unique_ptr<Recorder>> make_testr_recorder(
    TestrKind kind, const std::string& path, std::chrono::milliseconds lock_patience);

// inquest keeps its runs in .testrepository/, too, if there is no .inquest/: as subunit v2, which
// testr cannot read. Told by the last run.
[[nodiscard]] bool is_of_inquest(const std::string& path);

// The id without what stestr takes for tags: "[...]".
[[nodiscard]] std::string without_tags(const std::string& id);

}  // namespace hearth::client
