// What the tests of both sessions share: packets in, and packets out in a form that reads well.
#pragma once

#include <string>
#include <vector>

#include "protocol/rpc_packet.hpp"

namespace hearth::protocol::test {

inline Bytes encoded(const Packet& packet) {
  Bytes out;
  if (!encode(packet, out)) throw std::logic_error("a test's packet does not encode");
  return out;
}

inline Bytes joined(std::initializer_list<Bytes> parts) {
  Bytes all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

inline Bytes text_bytes(std::string_view text) {
  const auto bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// One RPC packet as any client or server sends it.
inline Bytes rpc_piece(std::string_view json, bool eof = true,
                       std::optional<std::string_view> mime_type = rpc_mime_type) {
  return encoded({.test_id = rpc_test_id,
                  .mime_type = mime_type,
                  .file_name = rpc_file_name,
                  .file_content = as_bytes(json),
                  .eof = eof});
}

inline Bytes rpc(const Message& message) {
  return rpc_piece(to_json(message));
}

// "id status @route 'file' (type): content EOF", as far as a packet has it; a message is its JSON,
// an error "error".
inline std::string described(const PacketView& packet) {
  const auto part = rpc_part(packet);
  if (part == RpcPart::message) return std::string(as_text(packet.file_content));
  if (part == RpcPart::text && packet.file_name == error_file_name) return "error";
  std::string text(packet.test_id.value_or("?"));
  if (packet.status != TestStatus::undefined) text += " " + std::string(to_string(packet.status));
  if (packet.route_code) text += " @" + std::string(*packet.route_code);
  if (packet.file_name) text += " '" + std::string(*packet.file_name) + "'";
  if (packet.mime_type) text += " (" + std::string(*packet.mime_type) + ")";
  if (!packet.file_content.empty()) text += ": " + std::string(as_text(packet.file_content));
  if (packet.eof) text += " EOF";
  for (const auto tag : packet.tags) text += " #" + std::string(tag);
  return text;
}

// Every packet in `bytes`, which are packets and nothing else.
inline std::vector<std::string> described(ByteView bytes) {
  PacketDecoder decoder;
  decoder.feed(bytes);
  decoder.finish();
  std::vector<std::string> all;
  while (const auto event = decoder.next()) {
    const auto* packet = std::get_if<PacketView>(&*event);
    all.push_back(packet != nullptr ? described(*packet) : "NOT A PACKET");
  }
  return all;
}

// What the peer would read now; the output is consumed.
template <typename Session>
std::vector<std::string> sent(Session& session) {
  auto all = described(session.output());
  session.consume(session.output().size());
  return all;
}

using Lines = std::vector<std::string>;

}  // namespace hearth::protocol::test
