#include "client/attach/join.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace hearth::client {
namespace {

constexpr std::size_t most_replayed = std::size_t{64} * 1024;

bool is_transient(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

}  // namespace

Join::Join(int in, int out, UniqueFd connection, const std::string& first, Bystander bystander)
    : m_in(in, O_RDONLY),
      m_out(out, O_WRONLY),
      m_connection(std::move(connection)),
      m_bystander(std::move(bystander)) {
  m_to_server.filled(first.copy(m_to_server.room.data(), m_to_server.room.size()));
  m_end.replayable = true;
}

JoinEnd Join::run() {
  while (m_end.client_reads && !(m_server_ended && m_to_client.empty())) wait();
  m_end.goodbye = m_goodbye.seen();
  const auto left = m_to_server.left();
  m_end.replayable =
      m_end.replayable && !m_end.server_spoke && m_end.sent.size() + left.size() <= most_replayed;
  if (m_end.replayable) m_end.sent.append(left.data(), left.size());
  return std::move(m_end);
}

// A descriptor of -1 is passed over by poll().
void Join::wait() {
  const bool reads_client = m_server_takes && !m_end.client_ended && m_to_server.empty();
  const bool writes_server = m_server_takes && !m_to_server.empty();
  const bool reads_server = !m_server_ended && m_to_client.empty();
  const auto server_events =
      static_cast<short>((reads_server ? POLLIN : 0) | (writes_server ? POLLOUT : 0));
  std::array<pollfd, 4> fds{{{reads_client ? m_in.fd() : -1, POLLIN, 0},
                             {m_out.fd(), static_cast<short>(m_to_client.empty() ? 0 : POLLOUT), 0},
                             {server_events != 0 ? m_connection.get() : -1, server_events, 0},
                             {m_bystander.fd, POLLIN, 0}}};
  if (poll(fds.data(), fds.size(), -1) < 0) return;
  const auto [in, out, server, bystander] = fds;
  if (bystander.revents != 0 && !m_bystander.on_readable()) m_bystander.fd = -1;
  if (in.revents != 0) read_client();
  if (server.revents != 0 && writes_server) write_server();
  if (server.revents != 0 && reads_server) read_server();
  if ((out.revents & POLLOUT) != 0)
    write_client();
  else if (out.revents != 0)
    m_end.client_reads = false;
}

void Join::read_client() {
  const auto size = m_in.read_some(m_to_server.room);
  if (size > 0) {
    m_to_server.filled(static_cast<std::size_t>(size));
    return write_server();
  }
  if (size < 0 && is_transient(errno)) return;
  m_end.client_ended = true;
  shutdown(m_connection.get(), SHUT_WR);
}

void Join::write_server() {
  const auto left = m_to_server.left();
  const auto size = send(m_connection.get(), left.data(), left.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  if (size >= 0) {
    m_to_server.begin += static_cast<std::size_t>(size);
    sent_on(left.first(static_cast<std::size_t>(size)));
  } else if (!is_transient(errno)) {
    m_server_takes = false;  // why it does not, reading will tell
  }
}

void Join::sent_on(std::span<const char> bytes) {
  m_goodbye.feed(std::as_bytes(bytes));
  if (m_end.server_spoke || !m_end.replayable) return;
  m_end.replayable = m_end.sent.size() + bytes.size() <= most_replayed;
  if (m_end.replayable)
    m_end.sent.append(bytes.data(), bytes.size());
  else
    m_end.sent = {};
}

void Join::read_server() {
  auto& room = m_to_client.room;
  const auto size = recv(m_connection.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (size > 0) {
    m_end.server_spoke = true;
    m_end.sent = {};
    m_to_client.filled(static_cast<std::size_t>(size));
    return write_client();
  }
  if (size < 0 && is_transient(errno)) return;
  m_server_ended = true;
  m_server_takes = false;
  m_end.error = size < 0 ? errno : 0;
}

void Join::write_client() {
  const auto size = m_out.write_some(m_to_client.left());
  if (size >= 0)
    m_to_client.begin += static_cast<std::size_t>(size);
  else if (!is_transient(errno))
    m_end.client_reads = false;
}

}  // namespace hearth::client
