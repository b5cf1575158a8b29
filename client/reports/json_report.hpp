// The file of --json: an event a line, as it happens. docs/hearth-run.md has the schema.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "client/reports/report_file.hpp"
#include "client/reports/reports.hpp"

namespace hearth::client {

class JsonReport final : public Report {
 public:
  explicit JsonReport(ReportFile file) : m_file(std::move(file)) {}
  void on_note(std::string_view line) override;
  void on_begin(const RunInfo& run) override;
  void on_packet(Worker worker, const protocol::PacketView& packet) override;
  void on_result(const TestReport& report, const Counts& counts) override;
  void on_tick(const Snapshot&) override { (void)m_file.flush(); }
  void on_end(const Outcome& outcome) override;
  Expected<void> finish() override { return m_file.flush(); }

 private:
  void write(const nlohmann::ordered_json& event);

  ReportFile m_file;
};

}  // namespace hearth::client
