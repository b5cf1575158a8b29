#include "client/history/v2_writer.hpp"

namespace hearth::client {

void append_v2(std::string& out, const StoredResult& result) {
  protocol::Bytes bytes;
  const std::string worker = "worker-" + std::to_string(result.worker.value_or(0));
  const std::vector<std::string_view> tags(result.worker ? 1 : 0, worker);
  protocol::Packet packet;
  packet.test_id = result.id;
  packet.tags = tags;
  packet.status = protocol::TestStatus::inprogress;
  packet.timestamp = result.started_at;
  static_cast<void>(protocol::encode(packet, bytes));
  for (const auto& attachment : result.attachments) {
    protocol::Packet file;
    file.test_id = result.id;
    file.file_name = attachment.name;
    if (!attachment.mime_type.empty()) file.mime_type = attachment.mime_type;
    file.file_content = protocol::as_bytes(attachment.text);
    file.eof = true;
    static_cast<void>(protocol::encode_file(file, bytes));
  }
  if (result.status != protocol::TestStatus::inprogress) {
    packet.status = result.status;
    if (result.started_at && result.duration)
      packet.timestamp = *result.started_at + *result.duration;
    static_cast<void>(protocol::encode(packet, bytes));
  }
  out += protocol::as_text(bytes);
}

}  // namespace hearth::client
