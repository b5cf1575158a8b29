#include "client/link/server_link.hpp"

#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace hearth::client {
namespace {

constexpr std::size_t read_size = std::size_t{256} * 1024;
constexpr auto packet_patience = std::chrono::seconds(10);
constexpr auto group_patience = std::chrono::seconds(1);  // to end by itself, after its leader
constexpr auto group_look = std::chrono::milliseconds(20);
using Wait = asio::posix::stream_descriptor;

std::chrono::nanoseconds duration_of(const timeval& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
}

std::chrono::nanoseconds cpu_time(const rusage& used) {
  return duration_of(used.ru_utime) + duration_of(used.ru_stime);
}

void close_quietly(asio::posix::stream_descriptor& fd) {
  ErrorCode ignored;
  fd.close(ignored);
}

}  // namespace

ServerLink::ServerLink(asio::io_context& io, const ServerProcess& server, Listener& listener,
                       std::chrono::milliseconds grace)
    : m_listener(listener),
      m_pid(server.pid),
      m_grace(grace),
      m_pid_fd(io, server.pid_fd),
      m_in(io, server.in),
      m_out(io, server.out),
      m_err(io, server.err),
      m_deadline(io),
      m_group_timer(io),
      m_last_read(std::chrono::steady_clock::now()) {
  wait_readable(m_out, &ServerLink::on_out_readable);
  wait_readable(m_err, &ServerLink::on_err_readable);
  wait_readable(m_pid_fd, &ServerLink::on_exit);
  flush();
}

ServerLink::~ServerLink() {
  if (m_ended) return;
  kill();
  signal_group(SIGKILL);
  waitpid(m_pid, nullptr, 0);
}

void ServerLink::flush() {
  if (!m_write_waits) write_some();
}

void ServerLink::end_within(std::chrono::milliseconds patience) {
  m_deadline.expires_after(patience);
  m_deadline.async_wait([this](ErrorCode error) {
    if (!error) kill();
  });
}

void ServerLink::kill() {
  if (m_ended) return;
  tell_group_to_end();
  ::kill(m_pid, SIGKILL);
}

void ServerLink::suspend() {
  if (!m_ended) signal_group(SIGTSTP);
}

void ServerLink::resume() {
  if (!m_ended) signal_group(SIGCONT);
}

// The server may stand behind a shell.
void ServerLink::signal_group(int signal) const {
  ::kill(-m_pid, signal);
}

std::optional<GroupMember> ServerLink::stopped_process() const {
  if (m_ended) return std::nullopt;
  for (auto& member : members_of_group(m_pid))
    if (member.stopped) return std::move(member);
  return std::nullopt;
}

void ServerLink::tick() {
  if (!m_session.waiting() || std::chrono::steady_clock::now() - m_last_read < packet_patience)
    return;
  while (m_session.waiting()) {  // one silence for all that is incomplete
    m_session.give_up_waiting();
    hand_out_events();
  }
}

void ServerLink::wait_readable(asio::posix::stream_descriptor& fd, void (ServerLink::*handler)()) {
  fd.async_wait(Wait::wait_read, [this, handler](ErrorCode error) {
    if (!error) (this->*handler)();
  });
}

void ServerLink::wait_writable() {
  m_write_waits = true;
  m_in.async_wait(Wait::wait_write, [this](ErrorCode error) {
    m_write_waits = false;
    if (!error) write_some();
  });
}

void ServerLink::on_out_readable() {
  const auto drained = read_out();
  hand_out_events();
  if (m_ended) return;
  if (drained == Drained::ended)
    close_quietly(m_out);
  else
    wait_readable(m_out, &ServerLink::on_out_readable);
}

void ServerLink::on_err_readable() {
  const auto drained = read_err();
  if (drained == Drained::ended) end_line();
  if (m_ended) return;
  if (drained == Drained::ended)
    close_quietly(m_err);
  else
    wait_readable(m_err, &ServerLink::on_err_readable);
}

// The pipes may be held open by others, but what the server itself wrote is in them by now.
void ServerLink::on_exit() {
  while (m_out.is_open() && read_out() == Drained::more) hand_out_events();
  while (m_err.is_open() && read_err() == Drained::more) continue;
  end_line();
  m_session.receive_eof();
  hand_out_events();
  for (auto* fd : {&m_in, &m_out, &m_err, &m_pid_fd}) close_quietly(*fd);
  m_exited = std::chrono::steady_clock::now();
  follow_group();
}

// Our process is not reaped before the others have gone, so that the group's number stays its own.
void ServerLink::follow_group() {
  const auto now = std::chrono::steady_clock::now();
  const bool gone = members_of_group(m_pid).empty();
  if (gone || (m_killed_at && now - *m_killed_at >= group_patience)) {
    int status = 0;
    rusage used{};
    wait4(m_pid, &status, 0, &used);
    m_ended = true;
    m_deadline.cancel();
    return m_listener.on_end(status, cpu_time(used));
  }
  if (!m_told_at && now - m_exited >= group_patience) tell_group_to_end();
  if (m_told_at && !m_killed_at && now - *m_told_at >= m_grace) {
    signal_group(SIGKILL);
    m_killed_at = now;
  }
  m_group_timer.expires_after(group_look);
  m_group_timer.async_wait([this](ErrorCode error) {
    if (!error) follow_group();
  });
}

// What stands still hears nothing before it goes on.
void ServerLink::tell_group_to_end() {
  signal_group(SIGTERM);
  signal_group(SIGCONT);
  if (!m_told_at) m_told_at = std::chrono::steady_clock::now();
}

ServerLink::Drained ServerLink::read_out() {
  static std::array<std::byte, read_size> buffer;
  const auto size = read(m_out.native_handle(), buffer.data(), buffer.size());
  if (size < 0) return errno == EINTR ? Drained::more : Drained::later;
  m_last_read = std::chrono::steady_clock::now();
  if (size == 0) {
    m_session.receive_eof();
    return Drained::ended;
  }
  m_session.receive(std::span(buffer).first(static_cast<std::size_t>(size)));
  return Drained::more;
}

ServerLink::Drained ServerLink::read_err() {
  std::array<char, Lines::longest> buffer{};
  const auto size = read(m_err.native_handle(), buffer.data(), buffer.size());
  if (size < 0) return errno == EINTR ? Drained::more : Drained::later;
  if (size == 0) return Drained::ended;
  m_lines.add({buffer.data(), static_cast<std::size_t>(size)},
              [this](std::string_view line) { m_listener.on_server_line(line); });
  return Drained::more;
}

void ServerLink::hand_out_events() {
  while (const auto event = m_session.next()) m_listener.on_event(*event);
  flush();
}

void ServerLink::end_line() {
  m_lines.finish([this](std::string_view line) { m_listener.on_server_line(line); });
}

void ServerLink::write_some() {
  if (!m_in.is_open()) return;
  while (!m_session.output().empty()) {
    const auto bytes = m_session.output();
    const auto size = write(m_in.native_handle(), bytes.data(), bytes.size());
    if (size >= 0)
      m_session.consume(static_cast<std::size_t>(size));
    else if (errno == EAGAIN)
      return wait_writable();
    else if (errno != EINTR)
      return close_quietly(m_in);  // its end comes to us by itself
  }
}

}  // namespace hearth::client
