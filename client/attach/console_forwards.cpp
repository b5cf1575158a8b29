#include "client/attach/console_forwards.hpp"

#include <poll.h>

#include <cstdio>

#include "tunnel/forward_target.hpp"

namespace hearth::client {
namespace {

constexpr int last_channel = 255;
constexpr int nap_after_failure = 100;  // ms

}  // namespace

Expected<ForwardSpec> parse_forward(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == std::string::npos)
    return tl::unexpected(Error{"forward " + text, "there is no '='",
                                "write it as LISTEN=TARGET, for example "
                                "tcp:127.0.0.1:1234=localhost:1234"});
  auto listen = transport::parse_address(text.substr(0, equals));
  if (!listen) return tl::unexpected(listen.error());
  std::string target = text.substr(equals + 1);
  if (const auto checked = tunnel::check_target(target); !checked)
    return tl::unexpected(checked.error());
  return ForwardSpec{std::move(*listen), std::move(target)};
}

Expected<void> ConsoleForwards::open(const ForwardSpec& spec) {
  auto listener = transport::Listener::open_locked(spec.listen);
  if (!listener) return tl::unexpected(listener.error());
  std::fprintf(stderr, "hearth: forwarding %s to %s behind the console\n",
               transport::to_text(listener->address()).c_str(), spec.target.c_str());
  m_forwards.push_back({std::move(*listener), spec.target});
  return {};
}

void ConsoleForwards::prepare(std::vector<pollfd>& polls, const tunnel::ConsoleLink& link) const {
  if (!link.can_say()) return;
  for (const auto& forward : m_forwards) polls.push_back({forward.listener.fd(), POLLIN, 0});
}

std::string ConsoleForwards::accept(tunnel::ConsoleLink& link) {
  for (auto& forward : m_forwards)
    if (auto trouble = accept_from(forward, link); !trouble.empty()) return trouble;
  return {};
}

std::string ConsoleForwards::accept_from(Forward& forward, tunnel::ConsoleLink& link) {
  while (link.can_say()) {
    auto connection = forward.listener.accept();
    if (!connection) {
      poll(nullptr, 0, nap_after_failure);
      return connection.error().text();
    }
    if (!*connection) return {};
    if (m_next > last_channel)
      return "a connection to " + forward.target +
             " was closed: a session over a console forwards 254 at most";
    const auto channel = static_cast<std::uint8_t>(m_next++);
    link.say(channel, forward.target + "\n");
    link.join(channel, tunnel::StreamFd::own(std::move(**connection)));
  }
  return {};
}

}  // namespace hearth::client
