// The descriptors that one turn of the loop waits for.
#pragma once

#include <poll.h>

#include <cstddef>
#include <vector>

namespace hearth::shim {

class PollList {
 public:
  void clear() { m_fds.clear(); }
  // `events`: POLLIN, POLLOUT, both, or 0 for one whose other end's going is to be noticed.
  void add(int fd, short events) { m_fds.push_back({fd, events, 0}); }
  // What happened to a descriptor that was added; 0 for others.
  [[nodiscard]] short events(int fd) const {
    short events = 0;
    for (const pollfd& one : m_fds) {
      if (one.fd == fd) events |= one.revents;
    }
    return events;
  }
  [[nodiscard]] pollfd* data() { return m_fds.data(); }
  [[nodiscard]] std::size_t size() const { return m_fds.size(); }

 private:
  std::vector<pollfd> m_fds;
};

}  // namespace hearth::shim
