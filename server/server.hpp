// The server: its event loop, its programs, and its clients' sessions. One thread; runs no test
// code.
#pragma once

#include <list>
#include <memory>
#include <optional>

#include "server/orphans.hpp"
#include "server/reception.hpp"
#include "server/schedule.hpp"
#include "server/serve.hpp"
#include "server/session.hpp"
#include "server/signals.hpp"

namespace hearth::server {

class Server {
 public:
  Server(const ServeOptions& options, std::vector<ProgramSpec> specs);

  // One session, with whose end the server ends. Without `out`, `in` is a socket. Returns the exit
  // status.
  int serve_one(UniqueFd in, UniqueFd out);
  // As many as come, until a signal ends the server or nobody has been there for as long as
  // `options` says.
  int serve_all(transport::Listener listener, std::optional<std::string> token);

 private:
  int run();
  Session& admit(UniqueFd in, UniqueFd out);
  [[nodiscard]] SessionIo::Events events_of(std::uint64_t number);
  [[nodiscard]] Session& session(std::uint64_t number);
  void on_end(Session& session, SessionIo::End end, const std::string& reason);
  void flush();
  void let_go_of_ended();
  void finish_sessions();
  void watch_idleness();
  void on_idle();
  [[nodiscard]] bool is_deserted() const;
  [[nodiscard]] std::string state() const;

  void stop(int status, bool abandon);
  void take_signals();
  int suspend();
  [[nodiscard]] bool wait_for_end_or_signal() const;
  void tear_down();
  void wait_for_children();
  void reap();

  asio::io_context m_io{1};
  const ServeOptions& m_options;
  Orphans m_orphans;
  std::list<std::shared_ptr<Session>> m_sessions;
  Schedule m_schedule;
  std::optional<Reception> m_reception;
  asio::signal_set m_children;
  Signals m_signals;
  ReadableFd m_signalled;
  asio::steady_timer m_idle;
  bool m_idle_waits = false;
  bool m_leaving = false;  // nobody is let in any more
  std::uint64_t m_last_number = 0;
  std::optional<int> m_status;
};

}  // namespace hearth::server
