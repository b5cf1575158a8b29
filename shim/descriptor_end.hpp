// A client on plain descriptors: stdin and stdout, or a connection.
#pragma once

#include "process/unique_fd.hpp"
#include "shim/client_end.hpp"

namespace hearth::shim {

class DescriptorEnd : public ClientEnd {
 public:
  // The flags of what these descriptors share with others stay as they are. `pending`: bytes of
  // the client's that were read already; read() gives them first, without a wait. For a connection
  // both are of the same socket.
  DescriptorEnd(UniqueFd in, UniqueFd out, std::string pending = {});

  void watch(PollList& list, bool wants_input, bool wants_output) override;
  void work(const PollList& list) override;
  [[nodiscard]] std::size_t read(std::span<std::byte> room) override;
  [[nodiscard]] bool input_ended() const override { return m_ended && m_pending.empty(); }
  [[nodiscard]] std::size_t write(protocol::ByteView bytes) override;
  [[nodiscard]] std::optional<std::size_t> write_from(int from, std::size_t size) override;
  [[nodiscard]] const std::string& lost() const override { return m_lost; }

 private:
  void lose(int error);

  UniqueFd m_in;
  UniqueFd m_out;
  std::string m_pending;
  std::string m_lost;
  bool m_readable = true;  // as far as is known
  bool m_ended = false;
  bool m_in_is_socket;
  bool m_out_is_socket;
  bool m_out_is_pipe;
  bool m_out_may_block;  // O_NONBLOCK is not ours to set
};

}  // namespace hearth::shim
