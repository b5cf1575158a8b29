// A socket that listens at an address: private to its user.
#pragma once

#include <sys/types.h>

#include <optional>

#include "process/unique_fd.hpp"
#include "protocol/error.hpp"
#include "transport/address.hpp"
#include "transport/address_lock.hpp"

namespace hearth::transport {

class Listener {
 public:
  // Unix: the socket has mode 0600, in a private folder (open_private_folder()); it takes the place
  // of one that is there, so hold the address's lock. TCP: 127.0.0.1. Close-on-exec, non-blocking.
  [[nodiscard]] static Expected<Listener> open(const Address& address);
  // The same, holding the address's lock; an error where another process has it.
  [[nodiscard]] static Expected<Listener> open_locked(const Address& address);
  Listener(Listener&&) = default;
  Listener& operator=(Listener&&) = delete;
  ~Listener() { withdraw(); }

  // Takes the Unix socket's file away, unless another has taken its place: nobody finds it any
  // more, and those who have are still accepted.
  void withdraw();

  [[nodiscard]] int fd() const { return m_fd.get(); }
  // With the port that the system chose.
  [[nodiscard]] const Address& address() const { return m_address; }

  // A connection, close-on-exec and non-blocking; nullopt: none waits. An error where one was
  // refused, since it is another user's, or could not be taken for want of something: the next may
  // do better.
  [[nodiscard]] Expected<std::optional<UniqueFd>> accept();

 private:
  Listener(Address address, UniqueFd fd) : m_address(std::move(address)), m_fd(std::move(fd)) {}
  [[nodiscard]] static Expected<Listener> open_unix(const UnixAddress& address);
  [[nodiscard]] static Expected<Listener> open_tcp(const TcpAddress& address);

  Address m_address;
  UniqueFd m_fd;
  UniqueFd m_folder;  // Unix: where the socket is
  ino_t m_inode = 0;
  std::optional<AddressLock> m_lock;
};

}  // namespace hearth::transport
