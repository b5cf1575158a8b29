// What a server says of itself (spec/connections.md), as tables for people. Pure.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace hearth::client {

// Lines. What `state` lacks, or has in another type than expected, is shown as "-".
[[nodiscard]] std::string status_text(const nlohmann::json& state);

}  // namespace hearth::client
