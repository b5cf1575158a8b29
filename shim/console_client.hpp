// A client behind a console: our stdin and stdout are the console's channel 0, our stderr is its
// channel 1 (tunnel/answerer.hpp), where the server's stderr goes as it is.
#pragma once

#include "shim/descriptor_end.hpp"
#include "tunnel/stream_fd.hpp"

namespace hearth::shim {

class ConsoleClient : public DescriptorEnd {
 public:
  ConsoleClient(UniqueFd in, UniqueFd out);

  void watch(PollList& list, bool wants_input, bool wants_output) override;
  [[nodiscard]] bool has_error_stream() const override { return true; }
  [[nodiscard]] std::size_t write_error(protocol::ByteView bytes) override;

 private:
  tunnel::StreamFd m_error;
  bool m_error_is_full = false;
};

}  // namespace hearth::shim
