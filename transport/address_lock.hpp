// One server for each address, however many start at once.
#pragma once

#include <optional>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::transport {

// Held as long as a process has it open: it goes over to forked children, and not over exec. The
// lock is the kernel's (flock), on a file that stays: `PATH.lock` beside a Unix socket,
// `tcp-PORT.lock` in the runtime folder.
class AddressLock {
 public:
  // nullopt: another process has it.
  [[nodiscard]] static Expected<std::optional<AddressLock>> take(const Address& address);

 private:
  explicit AddressLock(UniqueFd fd) : m_fd(std::move(fd)) {}
  UniqueFd m_fd;
};

}  // namespace hearth::transport
