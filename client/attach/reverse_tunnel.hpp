// Waits for a server that connects to us: `hearth-shim --connect` at the other end of `ssh -R`.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "client/attach/tunnel_command.hpp"
#include "transport/listener.hpp"

namespace hearth::client {

class ReverseTunnel {
 public:
  // TCP: the token is read from its file, and made where there is none.
  [[nodiscard]] static Expected<ReverseTunnel> open(const transport::Address& address,
                                                    const std::optional<std::string>& token_file);

  // The first that connects, and has the token if there is one; others are turned away. An error
  // when `command`, which brings the tunnel, ends before.
  [[nodiscard]] Expected<UniqueFd> accept(TunnelCommand& command, std::chrono::seconds patience);

 private:
  // Who has connected, and not yet sent all of a token.
  struct Caller {
    UniqueFd fd;
    std::string said;
  };

  ReverseTunnel(transport::Listener listener, std::string token)
      : m_listener(std::move(listener)), m_token(std::move(token)) {}
  void take_caller();
  [[nodiscard]] std::optional<UniqueFd> admitted();
  [[nodiscard]] bool listen_to(Caller& caller) const;
  [[nodiscard]] tl::unexpected<Error> nobody(std::string cause) const;

  transport::Listener m_listener;
  std::string m_token;
  std::vector<Caller> m_callers;
};

}  // namespace hearth::client
