// A connection to a resident server, which is started where there is none.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::client {

struct Resident {
  transport::Address address;  // absolute
  std::optional<std::string> token_file;
  std::string idle;                    // seconds
  std::vector<std::string> arguments;  // of `hearth serve`, besides what is above
  std::string executable;
};

// However many call this at once, one server is started. A failure to connect that has another
// cause than that nobody listens is an error.
[[nodiscard]] Expected<UniqueFd> connect_or_start(const Resident& resident);

}  // namespace hearth::client
