// One server for each address, however many start at once.
#pragma once

#include <optional>
#include <string>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::transport {

// Held as long as a process has it open: it goes over to forked children, and not over exec. The
// lock is the kernel's (flock), on a file: `PATH.lock` beside a Unix socket, `tcp-PORT.lock` in the
// runtime folder. Whoever is the last to let go of it removes the file; a killed one leaves it.
class AddressLock {
 public:
  // nullopt: another process has it.
  [[nodiscard]] static Expected<std::optional<AddressLock>> take(const Address& address);
  AddressLock(AddressLock&&) = default;
  AddressLock& operator=(AddressLock&&) = default;
  ~AddressLock();

 private:
  AddressLock() = default;
  // 0, or errno; EWOULDBLOCK: another process has it.
  [[nodiscard]] int lock_file();

  UniqueFd m_folder;
  std::string m_name;
  UniqueFd m_fd;
};

}  // namespace hearth::transport
