#include "client/attach/reverse_tunnel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "client/show/display.hpp"
#include "client/text.hpp"
#include "process/deadline.hpp"
#include "transport/preface.hpp"
#include "transport/token.hpp"

namespace hearth::client {
namespace {

using Clock = std::chrono::steady_clock;
using transport::Address;

constexpr int nap_after_failure = 100;    // ms
constexpr std::size_t most_callers = 16;  // that have not yet shown a token; the oldest goes

// Empty: the address needs none.
Expected<std::string> token_of(const Address& address, const std::optional<std::string>& given) {
  if (std::holds_alternative<transport::UnixAddress>(address)) return std::string();
  const auto file = given.value_or(transport::default_token_file(address));
  if (access(file.c_str(), F_OK) == 0) return transport::read_token_file(file);
  auto token = transport::new_token();
  if (const auto written = transport::write_token_file(file, token); !written)
    return tl::unexpected(written.error());
  return token;
}

void note(const std::string& line) {
  descriptor_writer(STDERR_FILENO)("hearth: attach: " + line + "\n");
}

}  // namespace

Expected<ReverseTunnel> ReverseTunnel::open(const Address& address,
                                            const std::optional<std::string>& token_file) {
  auto listener = transport::Listener::open_locked(address);
  if (!listener) return tl::unexpected(listener.error());
  auto token = token_of(address, token_file);
  if (!token) return tl::unexpected(token.error());
  return ReverseTunnel(std::move(*listener), std::move(*token));
}

Expected<UniqueFd> ReverseTunnel::accept(TunnelCommand& command, std::chrono::seconds patience) {
  const auto until = Clock::now() + patience;
  for (;;) {
    const int left = process::milliseconds_until(until);
    if (left <= 0) return nobody("no server has connected within " + duration_text(patience));
    std::vector<pollfd> fds{
        {m_listener.fd(), POLLIN, 0}, {command.fd(), POLLIN, 0}, {command.process_fd(), POLLIN, 0}};
    for (const auto& caller : m_callers) fds.push_back({caller.fd.get(), POLLIN, 0});
    if (poll(fds.data(), fds.size(), left) <= 0) continue;
    if (fds[1].revents != 0) (void)command.read_some();
    if (fds[0].revents != 0) take_caller();
    if (auto server = admitted()) return std::move(*server);
    if (fds[0].revents != 0 || fds[1].revents != 0) continue;
    if (const auto how = command.end())
      return nobody("the command that brings the tunnel " + *how +
                    " before a server had connected");
  }
}

void ReverseTunnel::take_caller() {
  auto caller = m_listener.accept();
  if (!caller) {
    note(caller.error().text());
    poll(nullptr, 0, nap_after_failure);
    return;
  }
  if (!*caller) return;
  if (m_callers.size() == most_callers) m_callers.erase(m_callers.begin());
  m_callers.push_back({std::move(**caller), {}});
}

std::optional<UniqueFd> ReverseTunnel::admitted() {
  for (auto& caller : m_callers) {
    if (!listen_to(caller)) {
      caller.fd.reset();
    } else if (caller.said.size() ==
               (m_token.empty() ? 0 : transport::token_line(m_token).size())) {
      UniqueFd server = std::move(caller.fd);
      m_callers.clear();
      return server;
    }
  }
  std::erase_if(m_callers, [](const Caller& caller) { return !caller.fd; });
  return std::nullopt;
}

// False: it is turned away.
bool ReverseTunnel::listen_to(Caller& caller) const {
  if (m_token.empty()) return true;
  const auto expected = transport::token_line(m_token);
  std::array<char, 128> buffer{};
  const auto size =
      recv(caller.fd.get(), buffer.data(), expected.size() - caller.said.size(), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  caller.said.append(buffer.data(), static_cast<std::size_t>(size));
  if (size > 0 && caller.said.size() < expected.size()) return true;
  if (transport::same_token(expected, caller.said)) return true;
  note("a connection to " + to_text(m_listener.address()) +
       " was turned away: it did not begin with the token");
  return false;
}

tl::unexpected<Error> ReverseTunnel::nobody(std::string cause) const {
  return tl::unexpected(
      Error{"wait for a server at " + to_text(m_listener.address()), std::move(cause),
            "the command is to run `hearth-shim --connect ADDRESS -- SERVER` at the other end"});
}

}  // namespace hearth::client
