#include "tunnel/answerer_forwards.hpp"

#include <algorithm>

#include "tunnel/forward_target.hpp"

namespace hearth::tunnel {

std::string AnswererForwards::take(ConsoleLink& link, std::uint8_t channel, ByteView bytes,
                                   Time now) {
  auto& opening = m_openings[channel];
  if (opening.refused) return {};
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto end = std::min(text.find('\n'), text.size());
  opening.line += text.substr(0, end);
  std::string trouble;
  if (opening.line.size() > longest_target)
    trouble = "a connection whose target is longer than any was not made";
  else if (end < text.size())
    trouble = open(link, channel, opening.line);
  else
    return {};
  opening.line.clear();
  opening.refused = !trouble.empty();
  if (opening.refused)
    link.end_channel(channel);
  else
    link.deliver(channel, bytes.subspan(end + 1), now);
  return trouble;
}

std::string AnswererForwards::open(ConsoleLink& link, std::uint8_t channel,
                                   const std::string& target) const {
  if (std::find(m_allowed.begin(), m_allowed.end(), target) == m_allowed.end())
    return "a connection to a target that was not allowed here; allow it with --forward " + target;
  auto fd = connect_to(target);
  if (!fd) return fd.error().text();
  link.join(channel, StreamFd::own(std::move(*fd)));
  return {};
}

}  // namespace hearth::tunnel
