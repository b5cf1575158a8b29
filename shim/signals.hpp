// The signals that are meant for the shim, and its children's ends.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "process/unique_fd.hpp"

namespace hearth::shim {

class Signals {
 public:
  // Blocks them, and ignores SIGPIPE. `keeper`: the parent process, which passes on what it gets. A
  // terminal signals the whole group: then its copy of the signal is not given a second time.
  explicit Signals(pid_t keeper);

  [[nodiscard]] int fd() const { return m_fd.get(); }
  // The next one; SIGCHLD: a child has ended; 0: there is none.
  [[nodiscard]] int take();
  // The keeper has been killed: nobody waits for our exit status any more.
  [[nodiscard]] bool abandoned() const;

 private:
  [[nodiscard]] bool is_copy(int signal, pid_t sender);

  pid_t m_keeper;
  int m_direct = 0;  // the last signal that came from elsewhere, and when
  std::chrono::steady_clock::time_point m_direct_time;
  UniqueFd m_fd;
};

}  // namespace hearth::shim
