// The signals that ask a process to end (SIGHUP, SIGINT, SIGQUIT, SIGTERM), as a descriptor for
// poll(). Blocked as long as this lives; SIGPIPE is ignored.
#pragma once

#include <signal.h>

#include "process/unique_fd.hpp"

namespace hearth::tunnel {

class EndingSignals {
 public:
  EndingSignals();
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
  ~EndingSignals();

  [[nodiscard]] int fd() const { return m_fd.get(); }
  // The one that has come; 0: none.
  [[nodiscard]] int take() const;

 private:
  sigset_t m_before{};
  UniqueFd m_fd;
};

}  // namespace hearth::tunnel
