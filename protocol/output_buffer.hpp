// Encoded packets on their way out: appended whole, consumed in any pieces. Both sessions have one.
#pragma once

#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

class OutputBuffer {
 public:
  // Where to append whole packets, and nothing else.
  [[nodiscard]] Bytes& packets() { return m_bytes; }

  [[nodiscard]] ByteView view() const { return ByteView(m_bytes).subspan(m_begin); }
  // `size` is at most view().size(). Amortised O(1) for each packet.
  void consume(std::size_t size);
  // Drops every packet of which nothing has been consumed.
  void drop_unstarted();

 private:
  void advance_packet();

  Bytes m_bytes;
  std::size_t m_begin = 0;   // what is before it has been consumed
  std::size_t m_packet = 0;  // start of the packet that m_begin is in, or m_begin
};

}  // namespace hearth::protocol
