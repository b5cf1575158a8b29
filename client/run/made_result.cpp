#include "client/run/made_result.hpp"

#include "protocol/rpc_packet.hpp"

namespace hearth::client {

MadeResult::MadeResult(const protocol::Bytes& wire) {
  m_decoder.feed(wire);
  m_packet = std::get<protocol::PacketView>(*m_decoder.next());
}

TestReport MadeResult::report(std::vector<Attachment> before) const {
  TestReport report;
  report.id = *m_packet.test_id;
  report.status = m_packet.status;
  report.ended_at = m_packet.timestamp;
  report.attachments = std::move(before);
  report.attachments.push_back({std::string(*m_packet.file_name), std::string(*m_packet.mime_type),
                                std::string(protocol::as_text(m_packet.file_content)),
                                m_packet.file_content.size()});
  return report;
}

MadeResult make_failure(std::string_view test_id, std::string_view route_code,
                        std::string_view traceback, protocol::Timestamp when) {
  protocol::Packet packet;
  packet.status = protocol::TestStatus::fail;
  packet.runnable = true;
  packet.test_id = test_id;
  if (!route_code.empty()) packet.route_code = route_code;
  packet.timestamp = when;
  packet.mime_type = protocol::text_mime_type;
  packet.file_name = "traceback";
  packet.file_content = protocol::as_bytes(traceback);
  packet.eof = true;
  protocol::Bytes wire;
  (void)protocol::encode(packet, wire);  // the id came in a packet, and goes into one
  return MadeResult(wire);
}

protocol::Timestamp wall_clock() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

}  // namespace hearth::client
