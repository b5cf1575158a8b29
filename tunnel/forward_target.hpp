// Where a forwarded connection goes: HOST:PORT or unix:PATH. HOST is an address, or localhost:
// looking up names needs shared libraries, and the answerer has none.
#pragma once

#include <string>
#include <string_view>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"

namespace hearth::tunnel {

inline constexpr std::size_t longest_target = 512;  // bytes

// An error that says what is wrong with it.
[[nodiscard]] Expected<void> check_target(const std::string& target);

// A socket that is connecting, or connected: close-on-exec and non-blocking.
[[nodiscard]] Expected<UniqueFd> connect_to(const std::string& target);

}  // namespace hearth::tunnel
