// Packets and events of subunit v2 as JSON, in the form of spec/vectors (its README.md describes
// it).
#pragma once

#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "protocol/subunit_v2.hpp"

namespace hearth::protocol::test {

using Json = nlohmann::json;

[[nodiscard]] std::string to_hex(ByteView bytes);
// Throws std::invalid_argument where `hex` is none.
[[nodiscard]] Bytes from_hex(std::string_view hex);

[[nodiscard]] Json to_json(const PacketView& packet);
[[nodiscard]] Json to_json(const DecodeEvent& event);

// Appends an event to a list of them; text that follows text becomes one.
void append_event(Json& events, const DecodeEvent& event);

// A packet to encode, with what its views refer to.
class OwnedPacket {
 public:
  // Throws Json's exceptions where `json` is not of the vectors' form.
  explicit OwnedPacket(const Json& json);
  OwnedPacket(const OwnedPacket&) = delete;
  OwnedPacket& operator=(const OwnedPacket&) = delete;

  [[nodiscard]] const Packet& get() const { return m_packet; }

 private:
  [[nodiscard]] std::optional<std::string_view> text(const Json& json, const char* key);

  std::deque<std::string> m_texts;
  std::vector<std::string_view> m_tags;
  Bytes m_content;
  Packet m_packet;
};

}  // namespace hearth::protocol::test
