#include "client/reports/subunit_report.hpp"

namespace hearth::client {

void SubunitReport::on_packet(Worker worker, const protocol::PacketView& packet) {
  const auto worker_tag = "worker-" + std::to_string(worker);
  std::vector<std::string_view> tags(packet.tags.begin(), packet.tags.end());
  if (m_tagged) tags.push_back(worker_tag);
  protocol::Packet copy;
  copy.status = packet.status;
  copy.runnable = packet.runnable;
  copy.test_id = packet.test_id;
  copy.timestamp = packet.timestamp;
  copy.tags = tags;
  copy.mime_type = packet.mime_type;
  copy.file_name = packet.file_name;
  copy.file_content = packet.file_content;
  copy.eof = packet.eof;
  m_wire.clear();
  // A packet that has no room for the tag goes without.
  if (!protocol::encode(copy, m_wire)) m_wire.assign(packet.wire.begin(), packet.wire.end());
  m_file.write(protocol::as_text(m_wire));
}

}  // namespace hearth::client
