// One client: its session, and the descriptors it goes over.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "server/session_io.hpp"

namespace hearth::server {

struct Session {
  Session(asio::io_context& io, std::uint64_t its_number, UniqueFd in, UniqueFd out,
          SessionIo::Events events)
      : number(its_number),
        session_io(io, std::move(in), std::move(out), rpc, std::move(events)),
        leave(io) {}

  const std::uint64_t number;  // from 1, in the order in which they came
  const std::chrono::system_clock::time_point since = std::chrono::system_clock::now();
  protocol::ServerSession rpc;
  SessionIo session_io;
  std::optional<SessionIo::End> ended;
  asio::steady_timer leave;  // how long it may take to write the last packet's rest
  bool closed = false;
};

}  // namespace hearth::server
