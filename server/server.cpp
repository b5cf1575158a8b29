#include "server/server.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>

#include "process/children.hpp"
#include "server/status.hpp"
#include "server/suspension.hpp"
#include "server/work_clock.hpp"

namespace hearth::server {
namespace {

constexpr auto tear_down_limit = std::chrono::seconds(10);
constexpr auto last_words = std::chrono::seconds(2);
constexpr std::size_t max_open =
    256;  // commands of a client that does not read; the others' number is free
constexpr std::size_t max_sessions = 4096;

protocol::ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

}  // namespace

Server::Server(const ServeOptions& options, std::vector<ProgramSpec> specs)
    : m_options(options),
      m_schedule(m_io, options, std::move(specs), m_orphans),
      m_children(m_io, SIGCHLD),
      m_signalled(m_io, duplicate(m_signals.get()), [this] { take_signals(); }),
      m_idle(m_io) {}

int Server::serve_one(UniqueFd in, UniqueFd out) {
  admit(std::move(in), std::move(out)).session_io.start();
  return run();
}

int Server::serve_all(transport::Listener listener, std::optional<std::string> token) {
  m_reception.emplace(
      m_io, std::move(listener), std::move(token),
      Reception::Events{[this](UniqueFd client, std::string_view already) {
                          admit(std::move(client), UniqueFd()).session_io.start(as_bytes(already));
                        },
                        [this] { return state(); },
                        [this] { return m_sessions.size() >= max_sessions; }});
  return run();
}

int Server::run() {
  wait_for_children();
  flush();
  m_schedule.start_programs();
  watch_idleness();
  while (!m_status) {
    m_io.run_one();
    m_io.poll();
    if (!m_status) flush();
    if (!m_status && m_reception) let_go_of_ended();
  }
  finish_sessions();
  tear_down();
  process::kill_all_children(m_orphans.children_list());
  return *m_status;
}

// ---- sessions -----------------------------------------------------------------------------------

Session& Server::admit(UniqueFd in, UniqueFd out) {
  const std::uint64_t number = ++m_last_number;
  m_idle.cancel();  // also where it has gone at the end of this turn
  m_idle_waits = false;
  Session& session = *m_sessions.emplace_back(
      std::make_shared<Session>(m_io, number, std::move(in), std::move(out), events_of(number)));
  m_schedule.joined(session.rpc);
  return session;
}

SessionIo::Events Server::events_of(std::uint64_t number) {
  return {[this, number](protocol::ListRequested list) {
            m_schedule.list(session(number).rpc, std::move(list));
          },
          [this, number](protocol::RunRequested run) {
            m_schedule.run(session(number).rpc, std::move(run));
          },
          [this, number](SessionIo::End end, const std::string& reason) {
            on_end(session(number), end, reason);
          },
          [this] { m_schedule.fill_soon(); },
          [this, number] { return m_schedule.open(session(number).rpc) < max_open; }};
}

Session& Server::session(std::uint64_t number) {
  return **std::find_if(m_sessions.begin(), m_sessions.end(),
                        [&](const auto& session) { return session->number == number; });
}

void Server::on_end(Session& session, SessionIo::End end, const std::string& reason) {
  session.ended = end;
  if (!reason.empty()) {
    const std::string which =
        m_reception ? "session " + std::to_string(session.number) : "the session";
    std::fprintf(stderr, "hearth: %s is over: %s\n", which.c_str(), reason.c_str());
  }
  if (end != SessionIo::End::refused) session.rpc.discard_output();
  if (!m_reception) {
    return stop(end == SessionIo::End::goodbye ? 0
                : end == SessionIo::End::lost  ? 1
                                               : 2,
                !m_schedule.is_idle());
  }
  session.rpc.receive_eof();
  while (session.rpc.next()) {
  }
  m_schedule.cancel(session.rpc);
  session.leave.expires_after(last_words);
  session.leave.async_wait([](ErrorCode) {});  // for the loop to come round
}

void Server::flush() {
  for (const auto& session : m_sessions) {
    if (!session->closed) session->session_io.flush();
  }
}

// Closed when the client has the rest of the last packet, or does not take it; gone when nothing
// refers to it.
void Server::let_go_of_ended() {
  const auto now = std::chrono::steady_clock::now();
  for (auto at = m_sessions.begin(); at != m_sessions.end();) {
    const auto one = at++;
    Session& session = **one;
    if (!session.ended) continue;
    if (!session.closed && (session.ended == SessionIo::End::lost || session.rpc.output().empty() ||
                            session.leave.expiry() <= now)) {
      session.leave.cancel();
      session.session_io.close();
      session.closed = true;
    }
    if (!session.closed || m_schedule.open(session.rpc) != 0) continue;
    asio::post(m_io, [kept = std::move(*one)] {});
    m_sessions.erase(one);
  }
  watch_idleness();
}

void Server::finish_sessions() {
  const auto deadline = std::chrono::steady_clock::now() + last_words;
  for (const auto& session : m_sessions) {
    if (session->closed) continue;
    if (m_reception) session->rpc.discard_output();
    session->session_io.flush_finally(deadline);
  }
}

// ---- nobody there -------------------------------------------------------------------------------

bool Server::is_deserted() const {
  return m_sessions.empty() && m_schedule.is_idle();
}

void Server::watch_idleness() {
  if (!m_reception) return;
  if (m_leaving) return on_idle();
  if (m_options.idle.count() == 0 || m_idle_waits == is_deserted()) return;
  m_idle_waits = !m_idle_waits;
  m_idle.cancel();
  if (!m_idle_waits) return;
  m_idle.expires_after(m_options.idle);
  m_idle.async_wait([this](ErrorCode error) {
    if (error) return;
    m_idle_waits = false;
    if (is_deserted() && !m_reception->is_busy()) on_idle();
  });
}

// Who has connected in this moment is served first.
void Server::on_idle() {
  m_leaving = true;
  m_reception->close();
  if (is_deserted() && !m_reception->is_busy()) stop(0, false);
}

std::string Server::state() const {
  ServerState state{
      transport::to_text(m_reception->address()), m_options.idle, {}, m_schedule.programs(), {}};
  for (const auto& session : m_sessions) {
    if (session->closed) continue;
    state.sessions.push_back({session->number, session->since, m_schedule.open(session->rpc),
                              m_schedule.left(session->rpc)});
  }
  for (const RunningTest& test : m_schedule.running()) {
    const auto owner = std::find_if(m_sessions.begin(), m_sessions.end(), [&](const auto& session) {
      return &session->rpc == test.session;
    });
    const bool is_here = owner != m_sessions.end() && !(*owner)->closed;
    state.running.push_back({std::string(test.id), is_here ? (*owner)->number : 0, test.since});
  }
  return to_json(state);
}

// ---- the end ------------------------------------------------------------------------------------

void Server::stop(int status, bool abandon) {
  if (m_status) return;
  m_status = status;
  if (m_reception) m_reception->close();
  m_schedule.shut_down(abandon);
}

void Server::take_signals() {
  for (int signal = 0; (signal = m_signals.take()) != 0;) {
    if (signal == SIGTSTP) signal = suspend();
    if (signal != SIGCONT) stop(128 + signal, true);
  }
}

// Until SIGCONT, or a signal that ends the server: that is given. A process that stopped itself
// could not end what it has started when its keeper is killed.
int Server::suspend() {
  const std::vector<pid_t> stopped = stop_descendants();
  work_clock().stop(std::chrono::steady_clock::now());
  std::fprintf(stderr, "hearth: suspended\n");
  int signal = SIGTSTP;
  while (signal == SIGTSTP || signal == 0) {
    // A client that has gone is found gone by the session, which ends.
    signal = wait_for_end_or_signal() ? SIGCONT : m_signals.take();
  }
  work_clock().go_on(std::chrono::steady_clock::now());
  set_going(stopped);
  for (const auto& session : m_sessions) {
    if (!session->ended) session->session_io.resume();
  }
  std::fprintf(stderr, "hearth: goes on\n");
  return signal;
}

// True: the only client there can be has gone. One of many does not wake the others' tests.
bool Server::wait_for_end_or_signal() const {
  if (!m_reception) return m_sessions.front()->session_io.wait_for_end(m_signals.get());
  pollfd signals{m_signals.get(), POLLIN, 0};
  poll(&signals, 1, -1);
  return false;
}

// Where nothing ran, the programs' own tear-down; in any case their end.
void Server::tear_down() {
  const auto deadline = work_time() + tear_down_limit;
  while (m_schedule.has_processes() && work_time() < deadline)
    m_io.run_one_for(deadline - work_time());
  if (m_schedule.has_processes()) {
    std::fprintf(stderr, "hearth: a program had not torn down after %d s; it is killed\n",
                 static_cast<int>(tear_down_limit.count()));
  }
}

void Server::wait_for_children() {
  m_children.async_wait([this](ErrorCode error, int) {
    if (error) return;
    reap();
    wait_for_children();
  });
}

void Server::reap() {
  int status = 0;
  rusage usage{};
  for (pid_t pid = 0; (pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage)) > 0;) {
    if (WIFSTOPPED(status)) {
      m_schedule.process_stopped(pid);
    } else {
      m_orphans.reaped(pid);
      m_schedule.process_ended(pid, status, usage);
      m_schedule.kill_strays();
    }
  }
}

}  // namespace hearth::server
