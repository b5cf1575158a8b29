// Looks over a client's shoulder: has it said Goodbye? Fed with what the client sends, as it is
// sent on. Memory: the packet decoder's; longer messages than a Goodbye are read without being
// kept.
#pragma once

#include "protocol/message_assembler.hpp"
#include "protocol/subunit_v2.hpp"

namespace hearth::protocol {

class GoodbyeWatch {
 public:
  void feed(ByteView bytes);
  [[nodiscard]] bool seen() const { return m_seen; }

 private:
  static constexpr std::size_t longest_goodbye = std::size_t{64} * 1024;

  PacketDecoder m_decoder;
  MessageAssembler m_messages{longest_goodbye};
  bool m_seen = false;
};

}  // namespace hearth::protocol
