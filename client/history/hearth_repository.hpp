// Our own repository, .hearth/: history.db (SQLite) with the runs, the results, and of each test
// its last duration and whether it fails; runs/N with the raw subunit v2 stream of run N.
// docs/history.md.
#pragma once

#include <memory>
#include <string>

#include "client/history/repository.hpp"
#include "client/history/sqlite.hpp"

namespace hearth::client {

class HearthRepository : public Repository {
 public:
  // `path` need not exist: it is made when a run is recorded.
  explicit HearthRepository(std::string path) : m_path(std::move(path)) {}

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] Expected<Past> past() override;
  [[nodiscard]] Expected<std::unique_ptr<Recorder>> record() override;
  [[nodiscard]] Expected<std::vector<StoredRun>> runs() override;
  [[nodiscard]] Expected<void> read_run(const StoredRun& run, Detail detail,
                                        const ResultSink& sink) override;
  [[nodiscard]] Expected<void> read_failing(Detail detail, const ResultSink& sink) override;
  [[nodiscard]] Expected<void> read_test(
      const std::string& id,
      const std::function<void(const StoredRun&, StoredResult&&)>& sink) override;

 private:
  std::string m_path;
};

// Opens history.db in `path` to read it, and checks that it is ours.
[[nodiscard]] Expected<std::unique_ptr<Database>> open_hearth_database(const std::string& path);
// To write: where there is none, it is made, and `path` with it.
[[nodiscard]] Expected<std::unique_ptr<Database>> make_hearth_database(const std::string& path);

// Writes a run as it happens: a killed one is there up to its last second.
[[nodiscard]] Expected<std::unique_ptr<Recorder>> make_hearth_recorder(const std::string& path);

// Removes old runs where there are too many: what is kept is in docs/history.md.
void prune(Database& database, const std::string& path);

// runs.state.
enum class RunState : std::uint8_t { begun = 0, complete = 1, partial = 2 };

}  // namespace hearth::client
