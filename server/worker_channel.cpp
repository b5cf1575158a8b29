#include "server/worker_channel.hpp"

#include <google/protobuf/message_lite.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace hearth::server {
namespace {

constexpr std::size_t max_descriptors = 3;
constexpr auto retry_interval = std::chrono::milliseconds(2);  // the peer's queue is full: rare

char* packet_buffer() {
  static const std::unique_ptr<char[]> buffer(new char[max_worker_packet]);
  return buffer.get();
}

}  // namespace

PacketRead read_packet(int channel) {
  ssize_t got = 0;
  do {
    got = recv(channel, packet_buffer(), max_worker_packet, MSG_DONTWAIT);
  } while (got < 0 && errno == EINTR);
  if (got > 0) return {PacketRead::Kind::packet, {packet_buffer(), static_cast<std::size_t>(got)}};
  const bool later = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  return {later ? PacketRead::Kind::nothing_yet : PacketRead::Kind::closed, {}};
}

WorkerChannel::WorkerChannel(asio::io_context& io, UniqueFd fd, Events events)
    : m_retry(io),
      m_events(std::move(events)),
      m_fd(io, std::move(fd), [this] { on_readable(); }) {}

WorkerChannel::~WorkerChannel() {
  *m_alive = false;
}

void WorkerChannel::close() {
  if (m_fd.get() < 0) return;
  m_fd.close();
  m_pending.clear();
}

void WorkerChannel::on_readable() {
  const auto alive = m_alive;
  while (*alive && m_fd.get() >= 0) {
    const PacketRead read = read_packet(m_fd.get());
    if (read.kind == PacketRead::Kind::nothing_yet) return;
    if (read.kind == PacketRead::Kind::closed) {
      close();
      const auto on_closed = m_events.on_closed;
      on_closed();
      return;
    }
    m_events.on_packet(read.bytes);
  }
}

void WorkerChannel::send(const google::protobuf::MessageLite& message,
                         std::vector<UniqueFd> descriptors) {
  if (m_fd.get() < 0) return;
  Pending pending{message.SerializeAsString(), std::move(descriptors)};
  if (!m_pending.empty() || !try_send(pending)) {
    m_pending.push_back(std::move(pending));
    if (m_pending.size() == 1) retry();
  }
}

// False where the packet has to wait. A packet to a peer that is gone is dropped: on_closed
// follows.
bool WorkerChannel::try_send(const Pending& pending) {
  iovec part{const_cast<char*>(pending.packet.data()), pending.packet.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * max_descriptors)] = {};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!pending.descriptors.empty()) {
    int descriptors[max_descriptors];
    const std::size_t count = std::min(pending.descriptors.size(), max_descriptors);
    for (std::size_t i = 0; i < count; ++i) descriptors[i] = pending.descriptors[i].get();
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int) * count);
    std::memcpy(CMSG_DATA(rights), descriptors, sizeof(int) * count);
  }
  ssize_t sent = 0;
  do {
    sent = sendmsg(m_fd.get(), &header, MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != ETOOMANYREFS);
}

void WorkerChannel::retry() {
  m_retry.expires_after(retry_interval);
  m_retry.async_wait([this, alive = m_alive](ErrorCode error) {
    if (error || !*alive || m_fd.get() < 0) return;
    while (!m_pending.empty() && try_send(m_pending.front())) m_pending.pop_front();
    if (!m_pending.empty()) retry();
  });
}

}  // namespace hearth::server
