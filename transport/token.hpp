// The secret that a connection over TCP begins with: who can read its file is let in.
#pragma once

#include <string>
#include <string_view>

#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::transport {

inline constexpr std::size_t token_size = 64;  // hexadecimal digits

// 256 random bits.
[[nodiscard]] std::string new_token();

// With mode 0600, in one piece.
[[nodiscard]] Expected<void> write_token_file(const std::string& path, std::string_view token);
// An error where others could have read it.
[[nodiscard]] Expected<std::string> read_token_file(const std::string& path);

// `tcp-PORT.token` in the runtime folder. Empty: the address needs none.
[[nodiscard]] std::string default_token_file(const Address& address);

// In a time that does not depend on where they differ.
[[nodiscard]] bool same_token(std::string_view expected, std::string_view given);

}  // namespace hearth::transport
