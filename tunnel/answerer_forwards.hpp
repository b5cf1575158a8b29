// Forwarded connections at the answerer: a channel from 2 on begins with a line that says where it
// is to go. spec/tunnel.md, section 8.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tunnel/console_link.hpp"

namespace hearth::tunnel {

class AnswererForwards {
 public:
  explicit AnswererForwards(std::vector<std::string> allowed) : m_allowed(std::move(allowed)) {}

  // Bytes on a channel that has no local end yet. What went wrong, for the caller; empty: nothing.
  std::string take(ConsoleLink& link, std::uint8_t channel, ByteView bytes, Time now);

 private:
  struct Opening {
    std::string line;
    bool refused = false;
  };
  [[nodiscard]] std::string open(ConsoleLink& link, std::uint8_t channel,
                                 const std::string& target) const;

  std::vector<std::string> m_allowed;
  std::map<std::uint8_t, Opening> m_openings;
};

}  // namespace hearth::tunnel
