// `hearth attach`: a server that is elsewhere, on our stdin and stdout.
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>

#include "client/attach/join.hpp"
#include "client/attach/log_file.hpp"
#include "client/attach/resident.hpp"
#include "client/attach/reverse_tunnel.hpp"
#include "client/attach/tunnel_command.hpp"
#include "client/command_support.hpp"
#include "client/commands.hpp"
#include "client/project/servers.hpp"
#include "process/deadline.hpp"
#include "transport/connect.hpp"
#include "transport/preface.hpp"

namespace hearth::client {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using How = AttachCommand::How;

constexpr int most_restarts = 3;        // of servers that end before they say anything
constexpr auto tunnel_patience = 120s;  // for a tunnel's command to say that a server listens
constexpr auto forward_patience = 10s;  // for the tunnel itself, then
constexpr int forward_nap = 20;         // ms

int fail(const Error& error) {
  descriptor_writer(STDERR_FILENO)("hearth: attach: " + error.text() + "\n");
  return 1;
}

// What the session came to, in words where that is not a Goodbye.
int finish(const std::string& address, const JoinEnd& end, const std::string& remedy) {
  if (end.goodbye) return 0;
  const std::string attempted = "attached to " + address;
  if (!end.client_reads) return fail({attempted, "nobody reads our output any more", ""});
  if (end.client_ended && end.error == 0)
    return fail({attempted, "the input ended without a Goodbye; what ran for it was given up", ""});
  return fail({attempted,
               std::string("the server ended the connection before a Goodbye") +
                   (end.error != 0 ? " (" + std::string(std::strerror(end.error)) + ")" : ""),
               remedy});
}

// The preface fits into a new socket's buffer.
bool send_preface(int connection, const std::string& preface) {
  return preface.empty() || send(connection, preface.data(), preface.size(), MSG_NOSIGNAL) ==
                                static_cast<ssize_t>(preface.size());
}

class Attach {
 public:
  Attach(const AttachCommand& command, transport::Address address, const std::string& executable)
      : m_command(command), m_address(std::move(address)), m_executable(executable) {}

  int connect() {
    auto connection = transport::connect(m_address);
    if (!connection) {
      auto error = connection.error().error;
      if (connection.error().absent)
        error.remedy +=
            ", or let `hearth attach --start " + to_text(m_address) + " -- PROGRAM...` start one";
      return fail(error);
    }
    const auto preface = transport::preface_of(m_address, m_command.token_file);
    if (!preface) return fail(preface.error());
    (void)send_preface(connection->get(), *preface);
    return finish(to_text(m_address),
                  Join(STDIN_FILENO, STDOUT_FILENO, std::move(*connection)).run(), remedy());
  }

  // A server that has just ended (it had been idle for long enough) may take a connection to its
  // end. Nothing has happened then: the next server gets what was said.
  int start() {
    const Resident resident{m_address, m_command.token_file, std::to_string(m_command.idle),
                            m_command.words, m_executable};
    std::string said;
    for (int restarts = 0;; ++restarts) {
      auto connection = connect_or_start(resident);
      if (!connection) return fail(connection.error());
      const auto preface = transport::preface_of(m_address, m_command.token_file);
      if (!preface) return fail(preface.error());
      (void)send_preface(connection->get(), *preface);
      const auto end = Join(STDIN_FILENO, STDOUT_FILENO, std::move(*connection), said).run();
      if (!end.replayable || end.goodbye || end.client_ended || restarts == most_restarts)
        return finish(to_text(m_address), end, remedy());
      said = end.sent;
    }
  }

  int connect_through_tunnel() {
    auto tunnel = TunnelCommand::start(m_command.words);
    if (!tunnel) return fail(tunnel.error());
    const auto announced = wait_for_announcement(*tunnel);
    if (!announced) return fail(announced.error());
    auto connection = connect_forwarded(*tunnel);
    if (!connection) return fail(connection.error());
    const auto preface = announced->token.empty()
                             ? transport::preface_of(m_address, m_command.token_file)
                             : Expected<std::string>(transport::token_line(announced->token));
    if (!preface) return fail(preface.error());
    (void)send_preface(connection->get(), *preface);
    return join_tunnel(*tunnel, std::move(*connection));
  }

  int listen() {
    auto tunnel = ReverseTunnel::open(m_address, m_command.token_file);
    if (!tunnel) return fail(tunnel.error());
    auto command = TunnelCommand::start(m_command.words);
    if (!command) return fail(command.error());
    auto connection = tunnel->accept(*command, tunnel_patience);
    if (!connection) return fail(connection.error());
    return join_tunnel(*command, std::move(*connection));
  }

 private:
  int join_tunnel(TunnelCommand& tunnel, UniqueFd connection) {
    const auto end = Join(STDIN_FILENO, STDOUT_FILENO, std::move(connection), {},
                          {tunnel.fd(), [&] { return tunnel.read_some(); }})
                         .run();
    tunnel.drain();
    const auto how = tunnel.end();
    return finish(to_text(m_address), end,
                  "the command " + m_command.words.front() +
                      (how ? " " + *how : " that brings the tunnel still runs"));
  }

  Expected<Announcement> wait_for_announcement(TunnelCommand& tunnel) {
    const auto until = Clock::now() + tunnel_patience;
    while (!tunnel.announcement()) {
      const int left = process::milliseconds_until(until);
      if (left <= 0) return no_tunnel("it did not say within 120 s that a server listens");
      std::array<pollfd, 2> fds{{{tunnel.fd(), POLLIN, 0}, {tunnel.process_fd(), POLLIN, 0}}};
      if (poll(fds.data(), fds.size(), left) <= 0) continue;
      if (fds[0].revents != 0)
        (void)tunnel.read_some();
      else if (const auto how = tunnel.end())
        return no_tunnel("it " + *how + " before it said that a server listens");
    }
    return *tunnel.announcement();
  }

  tl::unexpected<Error> no_tunnel(std::string cause) const {
    return tl::unexpected(Error{"wait for the tunnel of " + m_command.words.front(),
                                std::move(cause),
                                "the command is to run `hearth-shim --listen ADDRESS -- SERVER` at "
                                "the other end, and to pass on its output"});
  }

  Expected<UniqueFd> connect_forwarded(TunnelCommand& tunnel) {
    const auto until = Clock::now() + forward_patience;
    for (;;) {
      auto connection = transport::connect(m_address);
      if (connection) return std::move(*connection);
      auto error = connection.error().error;
      if (connection.error().absent)
        error.remedy =
            "the command that brings the tunnel is to forward that address, as ssh -L does";
      if (!connection.error().absent || Clock::now() > until || tunnel.end())
        return tl::unexpected(std::move(error));
      poll(nullptr, 0, forward_nap);
    }
  }

  [[nodiscard]] std::string remedy() const {
    const auto log = log_path_of(m_address);
    const bool has_log = access(log.c_str(), R_OK) == 0;
    return (has_log ? "its log " + log + " may say why; " : "") + "`hearth status " +
           to_text(m_address) + "` says whether there is a server";
  }

  const AttachCommand& m_command;
  transport::Address m_address;
  const std::string& m_executable;
};

// Instead of us: whatever brings this project's server has our stdin and stdout.
int run_project_command(const std::string& directory) {
  const auto command = find_project_command(directory);
  if (!command) return fail_setup("attach: " + command.error().text());
  std::vector<char*> words;
  for (const auto& word : command->words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  signal(SIGPIPE, SIG_DFL);
  execv(words.front(), words.data());
  return fail_setup("attach: run " + command->text + ": " + std::strerror(errno));
}

}  // namespace

int attach(const AttachCommand& command, const std::string& executable) {
  signal(SIGPIPE, SIG_IGN);
  if (command.address.empty()) return run_project_command(command.directory);
  unsetenv("HEARTH_CHANNEL_FD");  // it is for a server that we are not
  auto address = transport::parse_address(command.address);
  if (!address) return fail_setup(address.error().text());
  Attach attachment(command, transport::absolute(std::move(*address)), executable);
  if (command.how == How::start) return attachment.start();
  if (command.how == How::listen) return attachment.listen();
  return command.words.empty() ? attachment.connect() : attachment.connect_through_tunnel();
}

}  // namespace hearth::client
