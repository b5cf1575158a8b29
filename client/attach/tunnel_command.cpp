#include "client/attach/tunnel_command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "client/link/server_process.hpp"
#include "client/show/display.hpp"
#include "process/children.hpp"
#include "process/fork_exec.hpp"

namespace hearth::client {
namespace {

constexpr int patience = 5'000;  // ms, for it to end when its stdin has ended
constexpr int grace = 2'000;     // ms, between TERM and KILL

void become_command(char* const* words, int in, int out, pid_t parent) {
  if (process::die_with_parent(SIGTERM, parent) && dup2(in, STDIN_FILENO) >= 0 &&
      dup2(out, STDOUT_FILENO) >= 0)
    execvp(words[0], words);
}

}  // namespace

Expected<TunnelCommand> TunnelCommand::start(const std::vector<std::string>& words) {
  const auto refuse = [&](int number) {
    return tl::unexpected(Error{"run " + words.front(), std::strerror(number), ""});
  };
  FdPair in;
  FdPair out;
  if (!process::make_pipe(in) || !process::make_pipe(out)) return refuse(errno);
  fcntl(out.ours.get(), F_SETFL, O_NONBLOCK);
  const auto list = process::exec_list(words);
  const pid_t parent = getpid();
  const auto [pid, error] = process::fork_exec(
      [&] { become_command(list.data(), in.ours.get(), out.theirs.get(), parent); });
  if (error != 0) return refuse(error);
  return TunnelCommand({pid, false}, std::move(in.theirs), std::move(out.ours));
}

TunnelCommand::~TunnelCommand() {
  m_in.reset();
  m_out.reset();
  m_process.end(patience, grace);
}

bool TunnelCommand::read_some() {
  std::array<std::byte, 16384> buffer{};
  const auto size = read(m_out.get(), buffer.data(), buffer.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size > 0)
    m_talk.feed(std::span(buffer).first(static_cast<std::size_t>(size)));
  else
    m_talk.finish();
  show_lines();
  if (size <= 0) m_out.reset();
  return size > 0;
}

void TunnelCommand::drain() {
  pollfd out{m_out.get(), POLLIN, 0};
  while (m_out && poll(&out, 1, 0) > 0 && read_some()) continue;
}

std::optional<std::string> TunnelCommand::end() {
  const auto status = m_process.status();
  return status ? std::optional(describe_end(*status)) : std::nullopt;
}

void TunnelCommand::show_lines() {
  const auto show = descriptor_writer(STDERR_FILENO);
  for (const auto& line : m_talk.take_lines()) show(line + "\n");
}

}  // namespace hearth::client
