// The client's side of the shim: plain descriptors, or whatever carries the same streams in another
// way. The loop (relay.hpp) asks it what to wait for, lets it work after each wait, and moves
// bytes.
#pragma once

#include <chrono>
#include <optional>
#include <span>
#include <string>

#include "protocol/subunit_v2.hpp"
#include "shim/poll_list.hpp"

namespace hearth::shim {

using Clock = std::chrono::steady_clock;

class ClientEnd {
 public:
  virtual ~ClientEnd() = default;

  // Adds what it waits for. `wants_input`: there is room for what the client sends. `wants_output`:
  // there are bytes that write() did not take.
  virtual void watch(PollList& list, bool wants_input, bool wants_output) = 0;
  // After each wait: does what can be done without waiting.
  virtual void work(const PollList& list) = 0;

  // Bytes of the client's for the server. 0: none now.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> room) = 0;
  // No more will come.
  [[nodiscard]] virtual bool input_ended() const = 0;

  // Bytes for the client. Takes what it can without waiting, and says how many that are.
  [[nodiscard]] virtual std::size_t write(protocol::ByteView bytes) = 0;
  // As write(), for at most `size` bytes that are in the socket `from`, which do not pass through
  // here. nullopt: it cannot, now or ever.
  [[nodiscard]] virtual std::optional<std::size_t> write_from(int from, std::size_t size) {
    (void)from, (void)size;
    return std::nullopt;
  }
  // Whether the server's stderr has a stream of its own to the client. Where it has, it is sent
  // there as it is, and not as an attachment.
  [[nodiscard]] virtual bool has_error_stream() const { return false; }
  [[nodiscard]] virtual std::size_t write_error(protocol::ByteView bytes) {
    (void)bytes;
    return 0;
  }

  // Why nothing reaches the client any more; empty: it does.
  [[nodiscard]] virtual const std::string& lost() const = 0;
};

}  // namespace hearth::shim
