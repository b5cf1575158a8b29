// How the shim comes by a connection: it makes one, or waits for one at an address.
// spec/connections.md.
#pragma once

#include <variant>

#include "process/unique_fd.hpp"
#include "shim/client_end.hpp"
#include "shim/options.hpp"
#include "shim/signals.hpp"

namespace hearth::shim {

// Non-blocking; the token, where one is needed, has been sent.
[[nodiscard]] Expected<UniqueFd> make_connection(const transport::Address& address,
                                                 const std::optional<std::string>& token_file);

struct Arrival {
  UniqueFd connection;
  std::string first_bytes;  // of its session
};
// Nobody will come any more: a status to exit with.
struct NoArrival {
  int status;
};

// Listens at the address, says so on `stdout_end`, and what is wrong with those who come and are
// not let in. The first whose session begins is who was waited for; then nobody listens any more.
[[nodiscard]] Expected<std::variant<Arrival, NoArrival>> wait_for_client(
    const transport::Address& address, const std::optional<std::string>& token_file,
    ClientEnd& stdout_end, Signals& signals);

}  // namespace hearth::shim
