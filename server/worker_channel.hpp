// The server's end of a worker channel: packets in and out, with descriptors.
// spec/worker-channel.md.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "process/unique_fd.hpp"
#include "server/asio.hpp"
#include "server/readable_fd.hpp"

namespace google::protobuf {
class MessageLite;
}

namespace hearth::server {

inline constexpr std::size_t max_worker_packet = 64 * 1024;

struct PacketRead {
  enum class Kind { packet, nothing_yet, closed } kind;
  std::string_view bytes;  // valid until the next read
};
// One packet, without blocking. Descriptors that come with it are not taken.
PacketRead read_packet(int channel);

class WorkerChannel {
 public:
  struct Events {
    std::function<void(std::string_view packet)> on_packet;  // may close or destroy the channel
    std::function<void()> on_closed;                         // once
  };
  WorkerChannel(asio::io_context& io, UniqueFd fd, Events events);
  ~WorkerChannel();
  WorkerChannel(const WorkerChannel&) = delete;
  WorkerChannel& operator=(const WorkerChannel&) = delete;

  // Never blocks: what the kernel does not take now is kept, in order.
  void send(const google::protobuf::MessageLite& message, std::vector<UniqueFd> descriptors = {});
  void close();
  // Reads what has come, also where the event loop has not said so yet.
  void read_now() { on_readable(); }

 private:
  struct Pending {
    std::string packet;
    std::vector<UniqueFd> descriptors;
  };

  void on_readable();
  bool try_send(const Pending& pending);
  void retry();

  asio::steady_timer m_retry;
  std::deque<Pending> m_pending;
  Events m_events;
  std::shared_ptr<bool> m_alive = std::make_shared<bool>(true);
  ReadableFd m_fd;
};

}  // namespace hearth::server
