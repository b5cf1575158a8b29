#include "tests/support/subunit/subunit_json.hpp"

#include <stdexcept>

namespace hearth::protocol::test {
namespace {

unsigned hex_digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  throw std::invalid_argument("not hexadecimal");
}

constexpr std::string_view damage_names[] = {"reserved_flag", "packet_length", "checksum",
                                             "field_overrun", "left_over",     "string_nul",
                                             "string_utf8"};

TestStatus status_from(std::string_view name) {
  for (int value = 1; value < 8; ++value) {
    const auto status = static_cast<TestStatus>(value);
    if (to_string(status) == name) return status;
  }
  throw std::invalid_argument("no such status: " + std::string(name));
}

}  // namespace

std::string to_hex(ByteView bytes) {
  std::string hex;
  hex.reserve(bytes.size() * 2);
  for (std::byte byte : bytes) {
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) >> 4];
    hex += "0123456789abcdef"[std::to_integer<unsigned>(byte) & 0xF];
  }
  return hex;
}

Bytes from_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) throw std::invalid_argument("half a byte of hexadecimal");
  Bytes bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(hex_digit(hex[i]) << 4 | hex_digit(hex[i + 1])));
  }
  return bytes;
}

Json to_json(const PacketView& packet) {
  Json json = Json::object();
  if (packet.status != TestStatus::undefined) json["status"] = to_string(packet.status);
  if (packet.runnable) json["runnable"] = true;
  if (packet.eof) json["eof"] = true;
  if (packet.test_id) json["test_id"] = *packet.test_id;
  if (packet.route_code) json["route_code"] = *packet.route_code;
  if (packet.timestamp) {
    const auto total = packet.timestamp->time_since_epoch().count();
    json["timestamp"] = {total / 1'000'000'000, total % 1'000'000'000};
  }
  for (std::string_view tag : packet.tags) json["tags"].push_back(tag);
  if (packet.mime_type) json["mime_type"] = *packet.mime_type;
  if (packet.file_name) {
    json["file_name"] = *packet.file_name;
    json["content"] = to_hex(packet.file_content);
  }
  return json;
}

Json to_json(const DecodeEvent& event) {
  if (const auto* packet = std::get_if<PacketView>(&event)) {
    return {{"packet", to_json(*packet)}, {"hex", to_hex(packet->wire)}};
  }
  if (const auto* damaged = std::get_if<DamagedPacket>(&event)) {
    return {{"damaged", damage_names[static_cast<std::size_t>(damaged->reason)]},
            {"hex", to_hex(damaged->bytes)}};
  }
  return {{"text", to_hex(std::get<ForeignBytes>(event).bytes)}};
}

void append_event(Json& events, const DecodeEvent& event) {
  Json json = to_json(event);
  if (json.contains("text") && !events.empty() && events.back().contains("text")) {
    events.back()["text"] =
        events.back()["text"].get<std::string>() + json["text"].get<std::string>();
  } else {
    events.push_back(std::move(json));
  }
}

std::optional<std::string_view> OwnedPacket::text(const Json& json, const char* key) {
  if (!json.contains(key)) return std::nullopt;
  return m_texts.emplace_back(json.at(key).get<std::string>());
}

OwnedPacket::OwnedPacket(const Json& json) {
  if (json.contains("status")) m_packet.status = status_from(json["status"].get<std::string>());
  m_packet.runnable = json.value("runnable", false);
  m_packet.eof = json.value("eof", false);
  m_packet.test_id = text(json, "test_id");
  m_packet.route_code = text(json, "route_code");
  m_packet.mime_type = text(json, "mime_type");
  m_packet.file_name = text(json, "file_name");
  if (json.contains("timestamp")) {
    const Json& time = json["timestamp"];
    m_packet.timestamp = Timestamp(std::chrono::seconds(time.at(0).get<std::int64_t>()) +
                                   std::chrono::nanoseconds(time.at(1).get<std::int64_t>()));
  }
  for (const Json& tag : json.value("tags", Json::array())) {
    m_tags.push_back(m_texts.emplace_back(tag.get<std::string>()));
  }
  m_packet.tags = m_tags;
  m_content = from_hex(json.value("content", ""));
  m_packet.file_content = m_content;
}

}  // namespace hearth::protocol::test
