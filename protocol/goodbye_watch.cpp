#include "protocol/goodbye_watch.hpp"

#include "protocol/rpc_packet.hpp"

namespace hearth::protocol {

void GoodbyeWatch::feed(ByteView bytes) {
  if (m_seen) return;
  m_decoder.feed(bytes);
  while (const auto event = m_decoder.next()) {
    const auto* const packet = std::get_if<PacketView>(&*event);
    if (packet == nullptr) continue;
    const auto part = rpc_part(*packet);
    if (part == RpcPart::message || (part == RpcPart::untyped && m_messages.expects_more()))
      m_messages.add(packet->file_content, packet->eof);
    while (const auto message = m_messages.take())
      m_seen = m_seen || (*message && std::holds_alternative<Goodbye>(**message));
  }
}

}  // namespace hearth::protocol
