#include "zygote/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace hearth::zygote {
namespace {

char* packet_buffer() {
  static const std::unique_ptr<char[]> buffer(new char[max_packet]);
  return buffer.get();
}

}  // namespace

Received receive(int channel) {
  Received received;
  iovec part{packet_buffer(), max_packet};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * descriptors_per_packet)];
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return received;
  received.kind = Received::Kind::packet;
  received.bytes = {packet_buffer(), static_cast<std::size_t>(got)};
  for (cmsghdr* at = CMSG_FIRSTHDR(&header); at != nullptr; at = CMSG_NXTHDR(&header, at)) {
    if (at->cmsg_level != SOL_SOCKET || at->cmsg_type != SCM_RIGHTS) continue;
    std::memcpy(received.descriptors.data(), CMSG_DATA(at), at->cmsg_len - CMSG_LEN(0));
  }
  return received;
}

void close_all(const Received& received) {
  for (const int descriptor : received.descriptors) {
    if (descriptor >= 0) close(descriptor);
  }
}

bool send(int channel, std::string_view packet) {
  ssize_t sent = 0;
  do {
    sent = ::send(channel, packet.data(), packet.size(), MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent >= 0;
}

int move_up(int descriptor, int lowest) {
  const int moved = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest);
  if (moved < 0) return descriptor;
  close(descriptor);
  return moved;
}

}  // namespace hearth::zygote
