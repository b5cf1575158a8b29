// What may stand before the session on a connection: lines for whoever listens
// (spec/connections.md). No descriptors.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/error.hpp"
#include "transport/address.hpp"

namespace hearth::transport {

// What a client that has a token sends first; and what one sends that asks for the state of the
// server.
[[nodiscard]] std::string token_line(std::string_view token);
inline constexpr std::string_view status_line = "hearth status\n";
// What a client sends to a server at the address, with the token of that file, or of the address's
// default one.
[[nodiscard]] Expected<std::string> preface_of(const Address& address,
                                               const std::optional<std::string>& token_file);

class Preface {
 public:
  enum class State {
    more,     // it may go on
    session,  // it is over: what rest() gives, and all that follows, is the session's
    status,   // the client asks for the state of the server
    refused,  // why() says it
  };

  // Without a token none is asked for; one that is given all the same is passed over.
  explicit Preface(std::optional<std::string> token) : m_token(std::move(token)) {}

  [[nodiscard]] State take(std::string_view bytes);
  // It has shown the token, or needs none.
  [[nodiscard]] bool admitted() const { return m_admitted || !m_token; }
  [[nodiscard]] const std::string& rest() const { return m_bytes; }
  [[nodiscard]] const std::string& why() const { return m_why; }

 private:
  [[nodiscard]] State refuse(std::string why);

  std::optional<std::string> m_token;
  std::string m_bytes;
  std::string m_why;
  bool m_admitted = false;
};

}  // namespace hearth::transport
