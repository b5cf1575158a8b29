// Asks a server that listens for what it has and does.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::client {

struct StatusFailure {
  bool absent;  // nobody listens there
  Error error;
};

// One JSON object (spec/connections.md). Waits at most 30 s for it.
[[nodiscard]] tl::expected<nlohmann::json, StatusFailure> query_status(
    const transport::Address& address, const std::optional<std::string>& token_file);

}  // namespace hearth::client
