// One session on a pair of descriptors: bytes from the client into the session, the session's
// output out.
#pragma once

#include <functional>
#include <memory>

#include "process/unique_fd.hpp"
#include "protocol/server_session.hpp"
#include "server/asio.hpp"

namespace hearth::server {

// False: the client is so far behind that nothing new should be started for it.
[[nodiscard]] bool has_room(const protocol::ServerSession& session);

class SessionIo {
 public:
  enum class End { goodbye, refused, lost };
  struct Events {
    std::function<void(protocol::ListRequested)> on_list;
    std::function<void(protocol::RunRequested)> on_run;
    std::function<void(End, const std::string& reason)> on_end;  // once
    std::function<void()> on_room;      // the output has gone down below what makes has_room() true
    std::function<bool()> may_pile_up;  // false: a client without room is not listened to
  };

  // Own descriptions of them where there can be: the client's keep their flags. Regular files work
  // too. Without `out`, `in` is a socket.
  SessionIo(asio::io_context& io, UniqueFd in, UniqueFd out, protocol::ServerSession& session,
            Events events);

  // `already`: what has been read before.
  void start(protocol::ByteView already = {});
  // Writes what the session has; call it after every turn of the loop.
  void flush();
  // Writes the rest of a packet that is partly written, until then.
  void flush_finally(std::chrono::steady_clock::time_point deadline);
  // Behind the end, and not in a callback: the client sees it. What the event loop still has of
  // this is handed out at its next turn; until then it has to stay.
  void close();
  // After a time in which neither side could do anything: what the client has begun to say it may
  // take its time for.
  void resume() { watch_candidate(); }
  // Waits for nothing but the signals that `signals` gives, or for the client to go away: true.
  [[nodiscard]] bool wait_for_end(int signals) const;

 private:
  enum class Written { all, some, refused };

  void wait_for_input();
  [[nodiscard]] bool may_read() const;
  void read_input();
  void take_events();
  Written write_output();
  void watch_candidate();
  void end(End end, const std::string& reason);

  protocol::ServerSession& m_session;
  Events m_events;
  asio::posix::stream_descriptor m_in;
  asio::posix::stream_descriptor m_own_out;
  asio::posix::stream_descriptor& m_out;  // m_in, where that is a socket
  UniqueFd m_in_file;                     // where the event loop cannot wait for it
  UniqueFd m_out_file;
  int m_out_fd;
  asio::steady_timer m_candidate_timer;
  bool m_writing = false;
  bool m_paused = false;  // reading is: the client does not read, and went on asking
  bool m_ended = false;
};

}  // namespace hearth::server
