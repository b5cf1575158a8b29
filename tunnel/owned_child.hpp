// A child whose end a poll() loop can wait for, and that is ended in good order.
#pragma once

#include <sys/types.h>

#include <optional>

#include "process/unique_fd.hpp"

namespace hearth::tunnel {

class OwnedChild {
 public:
  OwnedChild() = default;
  // `group`: it leads a process group of its own, and signals go to all of that.
  OwnedChild(pid_t pid, bool group);
  OwnedChild(OwnedChild&& other) noexcept;
  OwnedChild& operator=(OwnedChild&&) = delete;
  ~OwnedChild();  // kills it if it is still there

  // Readable when it has ended.
  [[nodiscard]] int pid_fd() const { return m_pid_fd.get(); }
  // As wait() gives it, if it has ended; waits for that up to so many milliseconds.
  [[nodiscard]] std::optional<int> status(int wait_ms = 0);
  // Waits, then asks it to end, then makes it; milliseconds.
  int end(int patience_ms, int grace_ms);

 private:
  void send(int signal) const;

  pid_t m_pid = -1;
  bool m_group = false;
  UniqueFd m_pid_fd;
  std::optional<int> m_status;
};

}  // namespace hearth::tunnel
