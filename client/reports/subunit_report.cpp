#include "client/reports/subunit_report.hpp"

#include <span>
#include <vector>

namespace hearth::client {

protocol::Packet as_packet(const protocol::PacketView& view,
                           std::span<const std::string_view> tags) {
  protocol::Packet packet;
  packet.status = view.status;
  packet.runnable = view.runnable;
  packet.test_id = view.test_id;
  packet.timestamp = view.timestamp;
  packet.tags = tags;
  packet.mime_type = view.mime_type;
  packet.file_name = view.file_name;
  packet.file_content = view.file_content;
  packet.eof = view.eof;
  return packet;
}

void SubunitReport::on_packet(Worker worker, const protocol::PacketView& packet) {
  const auto worker_tag = "worker-" + std::to_string(worker);
  std::vector<std::string_view> tags(packet.tags.begin(), packet.tags.end());
  if (m_tagged) tags.push_back(worker_tag);
  const auto copy = as_packet(packet, tags);
  m_wire.clear();
  if (write_pieces(copy, m_limit.pieces(worker, packet), m_file)) return;
  // A packet that has no room for the tag goes without.
  if (!protocol::encode(copy, m_wire)) m_wire.assign(packet.wire.begin(), packet.wire.end());
  m_file.write(protocol::as_text(m_wire));
}

bool write_pieces(protocol::Packet packet, const std::vector<AttachmentLimit::Piece>& pieces,
                  ReportFile& file) {
  protocol::Bytes wire;
  const auto status = packet.status;
  for (const auto& piece : pieces) {
    packet.status = &piece == &pieces.back() ? status : protocol::TestStatus::undefined;
    packet.file_name = piece.name;
    packet.file_content = piece.content;
    packet.eof = piece.eof;
    if (!protocol::encode_file(packet, wire)) return false;
  }
  file.write(protocol::as_text(wire));
  return !pieces.empty();
}

}  // namespace hearth::client
