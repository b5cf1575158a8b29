// The event loop's side of a session with a server process: moves bytes between its pipes and a
// ClientSession, and sees it end. One thread; callbacks come from the io_context.
//
// The process that we started may be a shell that waits for the server, or the server's keeper. So
// the end is the end of its process group: when the process has ended, what is left of the group
// has a second to follow, then gets TERM, and KILL when `grace` has passed. A process that has left
// the group is its own server's business.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "client/link/asio.hpp"
#include "client/link/lines.hpp"
#include "client/link/process_group.hpp"
#include "client/link/server_process.hpp"
#include "protocol/client_session.hpp"

namespace hearth::client {

class ServerLink {
 public:
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void on_event(const protocol::ClientEvent& event) = 0;
    // One line of the server's stderr, without its newline.
    virtual void on_server_line(std::string_view line) = 0;
    // The process has ended, with its group, and everything it wrote has been handed out. The last
    // callback. `cpu`: what it and its descendants used.
    virtual void on_end(int wait_status, std::chrono::nanoseconds cpu) = 0;
  };

  // `grace`: between TERM and KILL of what is left of its group.
  ServerLink(asio::io_context& io, const ServerProcess& server, Listener& listener,
             std::chrono::milliseconds grace = std::chrono::seconds(2));
  ~ServerLink();  // kills a server that still runs, and its group
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // Commands given to it leave with flush(); a callback's leave by themselves when it returns.
  [[nodiscard]] protocol::ClientSession& session() { return m_session; }
  void flush();

  // Nothing more will be said; the server is killed if it has not ended after `patience`.
  void end_within(std::chrono::milliseconds patience);
  void kill();
  // Stops the server, its tests and their clocks; and lets them go on.
  void suspend();
  void resume();
  // Of the server's bytes the last time that any came.
  [[nodiscard]] std::chrono::steady_clock::time_point last_read() const { return m_last_read; }
  // A process of the server's group that was stopped, by whomever. Looks at all processes.
  [[nodiscard]] std::optional<GroupMember> stopped_process() const;

  // Gives up a packet of the server's that has been incomplete for long. Called a few times a
  // second.
  void tick();

 private:
  enum class Drained : std::uint8_t { more, later, ended };

  void wait_readable(asio::posix::stream_descriptor& fd, void (ServerLink::*handler)());
  void wait_writable();
  void on_out_readable();
  void on_err_readable();
  void on_exit();
  void follow_group();
  void tell_group_to_end();
  Drained read_out();
  Drained read_err();
  void hand_out_events();
  void end_line();
  void write_some();
  void signal_group(int signal) const;

  Listener& m_listener;
  pid_t m_pid;
  std::chrono::milliseconds m_grace;
  asio::posix::stream_descriptor m_pid_fd;
  asio::posix::stream_descriptor m_in;
  asio::posix::stream_descriptor m_out;
  asio::posix::stream_descriptor m_err;
  asio::steady_timer m_deadline;
  asio::steady_timer m_group_timer;
  protocol::ClientSession m_session;
  Lines m_lines;  // of stderr
  bool m_write_waits = false;
  bool m_ended = false;
  std::chrono::steady_clock::time_point m_exited;
  std::optional<std::chrono::steady_clock::time_point> m_told_at;    // the group was sent TERM
  std::optional<std::chrono::steady_clock::time_point> m_killed_at;  // and KILL
  std::chrono::steady_clock::time_point m_last_read;
};

}  // namespace hearth::client
