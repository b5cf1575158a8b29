#include "shim/console_client.hpp"

#include <unistd.h>

namespace hearth::shim {

ConsoleClient::ConsoleClient(UniqueFd in, UniqueFd out)
    : DescriptorEnd(std::move(in), std::move(out)),
      m_error(tunnel::StreamFd::borrow(STDERR_FILENO, tunnel::Direction::out)) {}

void ConsoleClient::watch(PollList& list, bool wants_input, bool wants_output) {
  DescriptorEnd::watch(list, wants_input, wants_output);
  if (m_error_is_full) list.add(m_error.get(), POLLOUT);
}

std::size_t ConsoleClient::write_error(protocol::ByteView bytes) {
  const auto sent = m_error.write(bytes);
  m_error_is_full = !sent.over && sent.size < bytes.size();
  return sent.over ? bytes.size() : sent.size;  // with the console gone, so are its readers
}

}  // namespace hearth::shim
