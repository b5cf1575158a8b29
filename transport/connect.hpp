// A connection to a server that listens at an address.
#pragma once

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::transport {

struct ConnectFailure {
  bool absent;  // nobody listens there, or not any more
  Error error;
};

// Close-on-exec and non-blocking. Waits for a server that is slow to accept, for at most 30 s. A
// Unix socket's server must be this user's.
[[nodiscard]] tl::expected<UniqueFd, ConnectFailure> connect(const Address& address);

}  // namespace hearth::transport
