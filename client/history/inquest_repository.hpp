// inquest's own repository, .inquest/: metadata.db (SQLite, schema version 1), and in runs/N the
// raw subunit v2 stream of run N, with runs/N.lock beside it while it runs. After inquest's
// src/repository/inquest.rs of July 2026. docs/history.md.
#pragma once

#include <memory>
#include <string>

#include "client/history/repository.hpp"
#include "client/history/sqlite.hpp"

namespace hearth::client {

class InquestRepository : public Repository {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<Repository>> open(const std::string& path);

  [[nodiscard]] std::string description() const override;
  [[nodiscard]] std::string lacking() const override;
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
  explicit InquestRepository(std::string path) : m_path(std::move(path)) {}
  std::string m_path;
};

// metadata.db, checked to be of the known schema.
[[nodiscard]] Expected<std::unique_ptr<Database>> open_inquest_database(const std::string& path);
[[nodiscard]] Expected<std::unique_ptr<Recorder>> make_inquest_recorder(const std::string& path);

// inquest's names of statuses.
[[nodiscard]] std::string_view inquest_status(protocol::TestStatus status);
[[nodiscard]] protocol::TestStatus status_from_inquest(std::string_view name);

}  // namespace hearth::client
