#include "server/serve.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "process/children.hpp"
#include "server/keeper.hpp"
#include "server/schedule.hpp"
#include "server/session_io.hpp"
#include "server/spawn.hpp"

namespace hearth::server {
namespace {

constexpr auto tear_down_limit = std::chrono::seconds(10);
constexpr std::size_t max_open = 256;  // commands of a client that does not read; the others' number is free

// Takes stdin and stdout for the session alone: whatever else writes to stdout from here on is lost, and what
// reads stdin sees its end.
UniqueFd take_over(int fd, int access) {
  UniqueFd taken(fcntl(fd, F_DUPFD_CLOEXEC, 3));
  const UniqueFd null(open("/dev/null", access | O_CLOEXEC));
  dup2(null.get(), fd);
  return taken;
}

// One server with its one session.
class Server {
 public:
  Server(const ServeOptions& options, std::vector<ProgramSpec> specs, UniqueFd in, UniqueFd out)
      : m_schedule(m_io, options, std::move(specs), m_orphans),
        m_session_io(m_io, std::move(in), std::move(out), m_session, events()),
        m_children(m_io, SIGCHLD),
        m_signals(m_io, SIGINT, SIGTERM, SIGHUP) {}

  int run() {
    m_schedule.may_start = [this] { return m_session_io.has_room(); };
    wait_for_children();
    m_signals.async_wait([this](ErrorCode error, int signal) {
      if (!error) stop(128 + signal, true);
    });
    m_session_io.start();
    m_session_io.flush();
    m_schedule.start_programs();
    while (!m_status) {
      m_io.run_one();
      m_io.poll();
      if (!m_status) m_session_io.flush();
    }
    m_session_io.flush_finally();
    tear_down();
    process::kill_all_children(m_orphans.children_list());
    return *m_status;
  }

 private:
  SessionIo::Events events() {
    return {[this](protocol::ListRequested list) { m_schedule.list(m_session, std::move(list)); },
            [this](protocol::RunRequested run) { m_schedule.run(m_session, std::move(run)); },
            [this](SessionIo::End end, const std::string& reason) { on_end(end, reason); },
            [this] { m_schedule.fill_soon(); },
            [this] { return m_schedule.open() < max_open; }};
  }

  void on_end(SessionIo::End end, const std::string& reason) {
    if (!reason.empty()) std::fprintf(stderr, "hearth: the session is over: %s\n", reason.c_str());
    if (end != SessionIo::End::refused) m_session.discard_output();
    stop(end == SessionIo::End::goodbye ? 0 : end == SessionIo::End::lost ? 1 : 2, !m_schedule.is_idle());
  }

  void stop(int status, bool abandon) {
    if (m_status) return;
    m_status = status;
    m_schedule.shut_down(abandon);
  }

  // Where nothing ran, the programs' own tear-down; in any case their end.
  void tear_down() {
    const auto deadline = std::chrono::steady_clock::now() + tear_down_limit;
    while (m_schedule.has_processes() && m_io.run_one_until(deadline) > 0) {
    }
    if (m_schedule.has_processes()) {
      std::fprintf(stderr, "hearth: a program had not torn down after %d s; it is killed\n",
                   static_cast<int>(tear_down_limit.count()));
    }
  }

  void wait_for_children() {
    m_children.async_wait([this](ErrorCode error, int) {
      if (error) return;
      reap();
      wait_for_children();
    });
  }

  void reap() {
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

  asio::io_context m_io{1};
  Orphans m_orphans;
  protocol::ServerSession m_session;
  Schedule m_schedule;
  SessionIo m_session_io;
  asio::signal_set m_children;
  asio::signal_set m_signals;
  std::optional<int> m_status;
};

int serve_here(const ServeOptions& options, std::vector<ProgramSpec> specs) {
  signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();
  UniqueFd in = take_over(0, O_RDONLY);
  UniqueFd out = take_over(1, O_WRONLY);
  if (!in || !out) {
    std::fprintf(stderr, "hearth: serve: standard input and output must be open: the session goes over them\n");
    return 2;
  }
  return Server(options, std::move(specs), std::move(in), std::move(out)).run();
}

}  // namespace

int serve(const ServeOptions& options) {
  auto specs = parse_programs(options.programs);
  if (!specs) {
    std::fprintf(stderr, "hearth: %s\n", specs.error().text().c_str());
    return 2;
  }
  return run_kept([&] { return serve_here(options, std::move(*specs)); });
}

}  // namespace hearth::server
