// The event loop's side of a session with a server process: moves bytes between its pipes and a
// ClientSession, and sees it end. One thread; callbacks come from the io_context.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "client/asio.hpp"
#include "client/server_process.hpp"
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
    // The process has ended and everything it wrote has been handed out. The last callback.
    virtual void on_end(int wait_status) = 0;
  };

  ServerLink(asio::io_context& io, const ServerProcess& server, Listener& listener);
  ~ServerLink();  // kills a server that still runs
  ServerLink(const ServerLink&) = delete;
  ServerLink& operator=(const ServerLink&) = delete;

  // Commands given to it leave with flush(); a callback's leave by themselves when it returns.
  [[nodiscard]] protocol::ClientSession& session() { return m_session; }
  void flush();

  // Nothing more will be said; the server is killed if it has not ended after `patience`.
  void end_within(std::chrono::milliseconds patience);
  void kill();

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
  Drained read_out();
  Drained read_err();
  void hand_out_events();
  void hand_out_lines(bool all);
  void write_some();

  Listener& m_listener;
  pid_t m_pid;
  asio::posix::stream_descriptor m_pid_fd;
  asio::posix::stream_descriptor m_in;
  asio::posix::stream_descriptor m_out;
  asio::posix::stream_descriptor m_err;
  asio::steady_timer m_deadline;
  protocol::ClientSession m_session;
  std::string m_lines;  // of stderr, not yet whole
  bool m_write_waits = false;
  bool m_ended = false;
  std::chrono::steady_clock::time_point m_last_read;
};

}  // namespace hearth::client
