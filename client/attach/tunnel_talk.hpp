// What a tunnel's command says on its stdout: where `hearth-shim --listen` listens, as a packet;
// and for people, everything else. Pure. spec/connections.md.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/link/lines.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::client {

struct Announcement {
  std::string address;  // as the other side knows it
  std::string token;    // empty: none is needed
};

class TunnelTalk {
 public:
  void feed(protocol::ByteView bytes);
  // There is no more: hands out a line that has no end.
  void finish();

  // Of the first packet that says so.
  [[nodiscard]] const std::optional<Announcement>& announcement() const { return m_announcement; }
  // The lines that have come since, printable. Their memory is bounded as long as they are taken
  // after each feed().
  [[nodiscard]] std::vector<std::string> take_lines();

 private:
  void read();
  void on_packet(const protocol::PacketView& packet);
  void on_text(std::string_view text);
  void end_line();

  protocol::PacketDecoder m_decoder;
  std::optional<Announcement> m_announcement;
  Lines m_text;
  std::vector<std::string> m_lines;
};

}  // namespace hearth::client
