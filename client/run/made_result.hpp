// A result that no server sent: a `fail` with its cause, as a packet like any other, for a test
// that a lost server took with it. Pure.
#pragma once

#include <memory>
#include <string_view>

#include "client/run/events.hpp"

namespace hearth::client {

class MadeResult {
 public:
  explicit MadeResult(const protocol::Bytes& wire);
  // Valid as long as this is.
  [[nodiscard]] const protocol::PacketView& packet() const { return m_packet; }
  // The same as a report, behind what the test had attached `before`.
  [[nodiscard]] TestReport report(std::vector<Attachment> before) const;

 private:
  protocol::PacketDecoder m_decoder;
  protocol::PacketView m_packet;
};

// `route_code`: as the test's other packets had it; empty: there were none.
[[nodiscard]] MadeResult make_failure(std::string_view test_id, std::string_view route_code,
                                      std::string_view traceback, protocol::Timestamp when);

[[nodiscard]] protocol::Timestamp wall_clock();

}  // namespace hearth::client
