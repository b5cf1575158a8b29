// The file of --subunit: the packets of the results as they came, but for two things. They have no
// route code: a test that is run again, in another Run or by another server, stays one test to
// whoever reads the stream. And where there are several servers, each packet is tagged `worker-N`,
// as testr does. (And what is too long for its readers is divided:
// client/reports/attachment_limit.hpp.)
#pragma once

#include <span>
#include <vector>

#include "client/reports/attachment_limit.hpp"
#include "client/reports/report_file.hpp"
#include "client/reports/reports.hpp"

namespace hearth::client {

// The packet, with `tags`, and without its route code.
[[nodiscard]] protocol::Packet as_packet(const protocol::PacketView& view,
                                         std::span<const std::string_view> tags);
// Writes `packet` once for each piece, in place of its own file content. False: nothing was
// written.
bool write_pieces(protocol::Packet packet, const std::vector<AttachmentLimit::Piece>& pieces,
                  ReportFile& file);

class SubunitReport final : public Report {
 public:
  explicit SubunitReport(ReportFile file) : m_file(std::move(file)) {}
  void on_begin(const RunInfo& run) override { m_tagged = run.workers > 1; }
  void on_packet(Worker worker, const protocol::PacketView& packet) override;
  void on_tick(const Snapshot&) override { (void)m_file.flush(); }
  Expected<void> finish() override { return m_file.flush(); }

 private:
  ReportFile m_file;
  AttachmentLimit m_limit;
  bool m_tagged = false;
  protocol::Bytes m_wire;  // of one packet
};

}  // namespace hearth::client
