// One session: a server's streams on one side, a client on the other. One thread, one loop.
//
// What is read from either side is bounded, and only read when there is room for it. A client that
// does not read stops the protocol, and so what the server does for it. What the server prints is
// read all the same: as much is kept as Noise holds, and after some seconds without progress, the
// rest is dropped and counted.
#pragma once

#include <memory>
#include <string>

#include "protocol/goodbye_watch.hpp"
#include "shim/client_end.hpp"
#include "shim/server_process.hpp"
#include "shim/server_streams.hpp"
#include "shim/signals.hpp"

namespace hearth::shim {

class Relay {
 public:
  // `server`: a process, or only a channel to one elsewhere (`where`, for messages).
  Relay(ServerProcess server, ClientEnd& client, Signals& signals, std::string where = {});
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // Until the server has ended and the client has everything. The exit status. No process that the
  // server left is there any more.
  [[nodiscard]] int run();
  // Besides all else, the session ends when nobody reads what is written to this descriptor.
  void watch_reader(int fd) { m_watched_reader = fd; }

 private:
  void turn();
  void fill(PollList& list);
  [[nodiscard]] int timeout() const;
  void work(const PollList& list);

  void read_noise(UniqueFd& fd, Noise& noise, bool is_out);
  [[nodiscard]] bool may_read_noise(const Noise& noise, bool is_out) const;
  void read_channel();
  void watch_candidate();
  void read_client();
  void write_server();
  [[nodiscard]] bool send_to_server();  // false: it does not listen
  void write_client();
  void write_errors();
  [[nodiscard]] bool begun_waits();
  [[nodiscard]] bool errors_wait() const;

  void take_signals();
  void pass_on(int signal);
  void take_ends_of_children();
  void desert_server();
  void close_streams();
  void enforce_deadlines();
  void watch_server(Clock::time_point now);
  void watch_leftovers(Clock::time_point now);

  [[nodiscard]] bool server_has_ended() const { return m_server.pid < 0; }
  [[nodiscard]] bool streams_have_ended() const {
    return !m_server.channel && !m_server.out && !m_server.err;
  }
  void finish();
  [[nodiscard]] bool end_was_asked_for() const;
  [[nodiscard]] std::string describe_death();

  ServerProcess m_server;
  const bool m_is_process;
  const std::string m_where;
  ClientEnd& m_client;
  Signals& m_signals;
  ServerStreams m_streams;
  protocol::GoodbyeWatch m_goodbye;

  std::unique_ptr<std::byte[]> m_to_server;  // to_server_size
  std::size_t m_to_server_begin = 0;
  std::size_t m_to_server_end = 0;
  std::unique_ptr<std::byte[]> m_scratch;  // read_size
  bool m_input_closed = false;             // the server has been told that no more comes
  bool m_deaf = false;                     // the server does not take any more
  bool m_client_blocked = false;

  std::optional<int> m_wait_status;
  std::optional<int> m_exit_status;  // other than the server's end says
  int m_watched_reader = -1;
  bool m_deserted = false;    // the client is gone
  bool m_terminated = false;  // the server was told to end
  bool m_finished = false;    // the last bytes for the client are in its stream

  // Never, unless set.
  static constexpr Clock::time_point never = Clock::time_point::max();
  Clock::time_point m_candidate = never;  // a packet that is not whole: given up then
  Clock::time_point m_begun = never;      // a test that has begun: said to the client by then
  Clock::time_point m_out_full = never;   // noise that finds no room is dropped from then on
  Clock::time_point m_err_full = never;
  Clock::time_point m_server_deadline = never;    // by then it is to have ended
  Clock::time_point m_leftover_deadline = never;  // by then its streams are to have ended
  Clock::time_point m_client_deadline = never;    // by then it is to have taken something
  PollList m_list;
};

}  // namespace hearth::shim
