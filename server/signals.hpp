// The signals that are meant for the server, one after the other as the kernel has them pending:
// SIGCONT takes a SIGTSTP before it back, and the other way round.
#pragma once

#include "process/unique_fd.hpp"

namespace hearth::server {

class Signals {
 public:
  // Blocks SIGINT, SIGTERM, SIGHUP, SIGTSTP and SIGCONT in this thread; what it starts has to
  // unblock them.
  Signals();

  // Readable when there is one.
  [[nodiscard]] int get() const { return m_fd.get(); }
  // 0: there is none.
  [[nodiscard]] int take() const;

 private:
  UniqueFd m_fd;
};

}  // namespace hearth::server
