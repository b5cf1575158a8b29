// Where a server listens: `unix:PATH` or `tcp:127.0.0.1:PORT`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "protocol/error.hpp"

namespace hearth::transport {

struct UnixAddress {
  std::string path;  // of any length; relative to the working directory, or absolute
};
struct TcpAddress {
  std::uint16_t port = 0;  // on 127.0.0.1; 0: one that the system chooses
};
using Address = std::variant<UnixAddress, TcpAddress>;

[[nodiscard]] Expected<Address> parse_address(std::string_view text);
// What parse_address() takes.
[[nodiscard]] std::string to_text(const Address& address);
// With the path made absolute, for one who changes directory.
[[nodiscard]] Address absolute(Address address);

}  // namespace hearth::transport
