// A descriptor in the event loop that is read when something is there. Safe to destroy or close at
// any time, also in its own callback.
#pragma once

#include <functional>
#include <memory>

#include "process/unique_fd.hpp"
#include "server/asio.hpp"

namespace hearth::server {

class ReadableFd {
 public:
  // `on_readable` is called whenever a read would not block (end of file included), until close().
  // Where the loop cannot watch `fd`, it is closed at once, and get() is -1.
  ReadableFd(asio::io_context& io, UniqueFd fd, std::function<void()> on_readable)
      : m_state(std::make_shared<State>(io, std::move(on_readable))) {
    ErrorCode refused;
    m_state->descriptor.assign(fd.get(), refused);
    if (refused) return;
    m_fd = fd.release();
    wait(m_state);
  }
  ReadableFd(ReadableFd&&) = default;
  ReadableFd& operator=(ReadableFd&&) = delete;
  ~ReadableFd() {
    if (m_state) close();
  }

  [[nodiscard]] int get() const { return m_fd; }
  // In `on_readable`: not again before resume().
  void pause() { m_state->paused = true; }
  void resume() {
    if (!std::exchange(m_state->paused, false) || !m_state->on_readable) return;
    wait(m_state);
  }
  void close() {
    m_state->on_readable = nullptr;
    ErrorCode ignored;
    m_state->descriptor.close(ignored);
    m_fd = -1;
  }

 private:
  struct State {
    State(asio::io_context& io, std::function<void()> callback)
        : descriptor(io), on_readable(std::move(callback)) {}
    asio::posix::stream_descriptor descriptor;
    std::function<void()> on_readable;
    bool paused = false;
  };

  static void wait(const std::shared_ptr<State>& state) {
    state->descriptor.async_wait(
        asio::posix::stream_descriptor::wait_read, [state](ErrorCode error) {
          if (error || !state->on_readable) return;
          const auto callback = state->on_readable;  // the callback may destroy its own owner
          callback();
          if (state->on_readable && !state->paused) wait(state);
        });
  }

  std::shared_ptr<State> m_state;
  int m_fd = -1;
};

}  // namespace hearth::server
