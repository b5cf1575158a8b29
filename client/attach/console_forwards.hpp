// Forwarded connections at the caller of a console: listens here, and has each connection go on at
// the other end. spec/tunnel.md, section 8.
#pragma once

#include <poll.h>

#include <string>
#include <vector>

#include "transport/listener.hpp"
#include "tunnel/console_link.hpp"

namespace hearth::client {

struct ForwardSpec {
  transport::Address listen;
  std::string target;
};
// LISTEN=TARGET, as in tcp:127.0.0.1:1234=localhost:1234.
[[nodiscard]] Expected<ForwardSpec> parse_forward(const std::string& text);

class ConsoleForwards {
 public:
  // Says on stderr where it listens.
  [[nodiscard]] Expected<void> open(const ForwardSpec& spec);
  void prepare(std::vector<pollfd>& polls, const tunnel::ConsoleLink& link) const;
  // Takes the connections that wait. What went wrong; empty: nothing.
  [[nodiscard]] std::string accept(tunnel::ConsoleLink& link);

 private:
  struct Forward {
    transport::Listener listener;
    std::string target;
  };
  [[nodiscard]] std::string accept_from(Forward& forward, tunnel::ConsoleLink& link);

  std::vector<Forward> m_forwards;
  int m_next = tunnel::ConsoleLink::first_forward;  // a channel is used once in a session
};

}  // namespace hearth::client
