// Packets as a server sends them, for the tests of what the client makes of them.
#pragma once

#include <string>
#include <string_view>

#include "protocol/subunit_v2.hpp"

namespace hearth::client::test {

inline constexpr protocol::Timestamp noon{std::chrono::seconds(1'800'000'000)};

inline protocol::PacketView status(std::string_view id, protocol::TestStatus status,
                                   std::chrono::milliseconds at = {}) {
  protocol::PacketView packet;
  packet.test_id = id;
  packet.status = status;
  packet.timestamp = noon + at;
  packet.route_code = "1";
  return packet;
}

inline protocol::PacketView file(std::string_view id, std::string_view name,
                                 std::string_view content,
                                 std::string_view mime_type = "text/plain;charset=utf8") {
  protocol::PacketView packet;
  packet.test_id = id;
  packet.file_name = name;
  packet.mime_type = mime_type;
  packet.file_content = protocol::as_bytes(content);
  packet.route_code = "1";
  return packet;
}

}  // namespace hearth::client::test
