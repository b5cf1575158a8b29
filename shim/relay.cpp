#include "shim/relay.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "process/children.hpp"
#include "process/deadline.hpp"
#include "process/wait_status.hpp"
#include "protocol/utf8.hpp"

namespace hearth::shim {
namespace {

constexpr std::size_t to_server_size = std::size_t{64} * 1024;
// Below that, a system call costs more than a copy.
constexpr std::size_t worth_splicing = std::size_t{64} * 1024;

// What says only that a test has begun waits so long for what follows. Most tests have ended by
// then, so that the client is woken once for each of them.
constexpr std::chrono::milliseconds begun_patience{5};
constexpr std::chrono::seconds candidate_patience{3};
constexpr std::chrono::seconds full_patience{2};       // for noise that finds no room
constexpr std::chrono::seconds closed_patience{15};    // for a server that has closed its streams
constexpr std::chrono::seconds deserted_patience{10};  // for a server without a client
constexpr std::chrono::seconds term_patience{2};
constexpr std::chrono::seconds leftover_patience{10};  // for what outsiders hold open
constexpr std::chrono::seconds client_patience{30};    // for the client to take the last bytes

std::string last_words(const ServerStreams& streams) {
  const std::string_view err = streams.err().tail();
  const bool blank = err.find_first_not_of(" \t\r\n") == std::string_view::npos;
  const bool protocol_on_out = streams.protocol_is_on(ServerStreams::Source::out);
  std::string_view tail = blank && !protocol_on_out ? streams.out().tail() : err;
  if (tail.size() == Noise::max_tail) {
    tail.remove_prefix(std::min(tail.find('\n'), tail.size() - 1) + 1);
  }
  while (!tail.empty() && (tail.back() == '\n' || tail.back() == '\r')) tail.remove_suffix(1);
  return protocol::as_utf8(tail);
}

}  // namespace

Relay::Relay(ServerProcess server, ClientEnd& client, Signals& signals, std::string where)
    : m_server(std::move(server)),
      m_is_process(m_server.pid > 0),
      m_where(std::move(where)),
      m_client(client),
      m_signals(signals),
      m_to_server(new std::byte[to_server_size]),
      m_scratch(new std::byte[ServerStreams::read_size]) {}

int Relay::run() {
  read_client();  // what came before there was anybody to give it to
  write_server();
  for (;;) {
    if (server_has_ended() && streams_have_ended() && !m_finished) finish();
    if (m_finished) {
      write_client();
      if (!m_client.lost().empty()) break;
      write_errors();
      if (m_streams.client().size() == 0 && !errors_wait()) break;
      if (Clock::now() >= m_client_deadline) break;
    }
    turn();
  }
  if (m_exit_status) return *m_exit_status;
  if (!m_is_process) return m_goodbye.seen() ? 0 : 1;
  return process::exit_status(*m_wait_status);
}

void Relay::turn() {
  fill(m_list);
  if (poll(m_list.data(), m_list.size(), timeout()) < 0 && errno != EINTR) return;
  work(m_list);
}

// ---- what is waited for

void Relay::fill(PollList& list) {
  list.clear();
  list.add(m_signals.fd(), POLLIN);
  if (m_watched_reader >= 0) list.add(m_watched_reader, 0);
  const bool to_server = m_to_server_begin < m_to_server_end;
  m_client.watch(list, !to_server, m_client_blocked && m_streams.client().size() > 0);
  short events = 0;
  if (m_streams.may_read_protocol()) events |= POLLIN;
  if (to_server) events |= POLLOUT;
  if (m_server.channel && events != 0) list.add(m_server.channel.get(), events);
  if (m_server.out && may_read_noise(m_streams.out(), true)) list.add(m_server.out.get(), POLLIN);
  if (m_server.err && may_read_noise(m_streams.err(), false)) list.add(m_server.err.get(), POLLIN);
}

bool Relay::may_read_noise(const Noise& noise, bool is_out) const {
  if (is_out && m_streams.protocol_is_on(ServerStreams::Source::out)) {
    return m_streams.may_read_protocol();
  }
  // It may be the protocol that comes: nothing of it is dropped.
  if (is_out && m_streams.mode() == ServerStreams::Mode::undecided) return noise.room() > 0;
  return noise.room() > 0 || Clock::now() >= (is_out ? m_out_full : m_err_full);
}

int Relay::timeout() const {
  const auto now = Clock::now();
  auto first = std::min({m_candidate, m_server_deadline, m_client_deadline});
  // Expired, these two stay so until there is room: nothing has to be woken for that.
  for (const auto full : {m_out_full, m_err_full}) {
    if (full > now) first = std::min(first, full);
  }
  if (!m_client_blocked) first = std::min({first, m_leftover_deadline, m_begun});
  return first == never ? -1 : process::milliseconds_until(first);
}

// ---- what is done

void Relay::work(const PollList& list) {
  if (list.events(m_signals.fd()) != 0) take_signals();
  m_client.work(list);
  const auto ready = [&list](const UniqueFd& fd) {
    return fd && (list.events(fd.get()) & (POLLIN | POLLHUP | POLLERR)) != 0;
  };
  read_client();
  write_server();
  // What a server had printed before it sent a packet can be read once the packet could; and noise
  // is put before what was read of the protocol last. So it never comes behind that packet.
  const bool packets_may_have_come = ready(m_server.channel) || ready(m_server.out);
  if (ready(m_server.channel)) read_channel();
  if (packets_may_have_come) read_noise(m_server.out, m_streams.out(), true);
  if (packets_may_have_come || ready(m_server.err)) {
    read_noise(m_server.err, m_streams.err(), false);
  }
  write_client();
  write_errors();
  if (!m_client.lost().empty() ||
      (m_watched_reader >= 0 && (list.events(m_watched_reader) & (POLLERR | POLLHUP)) != 0)) {
    desert_server();
  }
  enforce_deadlines();
}

void Relay::read_noise(UniqueFd& fd, Noise& noise, bool is_out) {
  if (!fd || !may_read_noise(noise, is_out)) return;
  const bool decoded = is_out && !m_streams.protocol_is_on(ServerStreams::Source::channel);
  const bool drop = !decoded && noise.room() == 0;
  std::size_t size = ServerStreams::read_size;
  if (!decoded && !drop) size = std::min(size, noise.room());
  const ssize_t got = ::read(fd.get(), m_scratch.get(), size);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) return fd.reset();
  m_leftover_deadline = never;
  const protocol::ByteView bytes(m_scratch.get(), static_cast<std::size_t>(got));
  if (is_out) {
    m_streams.take_out(bytes, drop);
    watch_candidate();
  } else if (drop) {
    noise.drop(protocol::as_text(bytes));
  } else {
    noise.add(protocol::as_text(bytes));
  }
}

void Relay::read_channel() {
  if (!m_streams.may_read_protocol()) return;
  const int fd = m_server.channel.get();
  ClientStream& stream = m_streams.client();
  if (m_streams.mode() == ServerStreams::Mode::channel && stream.bypass() >= worth_splicing) {
    if (const auto moved = m_client.write_from(fd, stream.bypass())) return stream.bypassed(*moved);
  }
  std::byte first{};
  ssize_t got = 1;
  if (m_streams.mode() == ServerStreams::Mode::undecided) {
    got = recv(fd, &first, 1, MSG_DONTWAIT | MSG_PEEK);
  }
  if (got > 0) {
    const std::span<std::byte> room = m_streams.prepare_channel();
    got = recv(fd, room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
      m_leftover_deadline = never;
      m_streams.commit_channel(static_cast<std::size_t>(got));
      return watch_candidate();
    }
  }
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  m_server.channel.reset();
}

void Relay::watch_candidate() {
  m_candidate = m_streams.waiting() ? Clock::now() + candidate_patience : never;
}

void Relay::read_client() {
  if (m_to_server_begin < m_to_server_end) return;
  m_to_server_begin = 0;
  m_to_server_end = m_client.read({m_to_server.get(), to_server_size});
}

void Relay::write_server() {
  const std::size_t begin = m_to_server_begin;
  if (!send_to_server()) m_to_server_begin = m_to_server_end;  // nobody hears it
  m_goodbye.feed({m_to_server.get() + begin, m_to_server_begin - begin});
  if (m_to_server_begin == m_to_server_end && m_client.input_ended() && m_server.channel &&
      !m_input_closed) {
    m_input_closed = true;
    shutdown(m_server.channel.get(), SHUT_WR);
  }
}

bool Relay::send_to_server() {
  while (m_to_server_begin < m_to_server_end && m_server.channel && !m_deaf) {
    const ssize_t sent = send(m_server.channel.get(), m_to_server.get() + m_to_server_begin,
                              m_to_server_end - m_to_server_begin, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      m_to_server_begin += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN) {
      return true;
    } else if (errno != EINTR) {
      m_deaf = true;
    }
  }
  return m_server.channel && !m_deaf;
}

void Relay::write_client() {
  ClientStream& stream = m_streams.client();
  const bool with_err = !m_client.has_error_stream();
  std::size_t written = 0;
  do {
    if (!m_finished) m_streams.insert_noise(with_err);
    if (begun_waits()) return;
    written = m_client.lost().empty() ? m_client.write(stream.view()) : stream.size();
    if (written > 0) stream.consume(written);
    m_client_blocked = stream.size() > 0;
    if (written > 0 && m_client_deadline != never) {
      m_client_deadline = Clock::now() + client_patience;
    }
  } while (written > 0 && !m_client_blocked && !m_finished && m_streams.noise_can_go(with_err));
}

bool Relay::begun_waits() {
  if (!m_finished && !m_client_blocked && m_streams.client().only_begun()) {
    const auto now = Clock::now();
    if (m_begun == never) m_begun = now + begun_patience;
    if (now < m_begun) return true;
  }
  m_begun = never;
  return false;
}

bool Relay::errors_wait() const {
  return m_client.has_error_stream() && m_streams.err().pending();
}

void Relay::write_errors() {
  if (!m_client.has_error_stream()) return;
  const std::string_view text = m_streams.err().raw();
  if (!text.empty()) m_streams.err().consume_raw(m_client.write_error(protocol::as_bytes(text)));
}

// ---- processes

void Relay::take_signals() {
  if (m_signals.abandoned()) {
    process::kill_all_children(process::open_children_list(), process::Daemons::spared);
    _exit(1);
  }
  while (const int signal = m_signals.take()) {
    if (signal == SIGCHLD) {
      take_ends_of_children();
    } else {
      pass_on(signal);
    }
  }
}

void Relay::pass_on(int signal) {
  if (m_server.pid > 0) {
    kill(-m_server.pid, signal);
  } else if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
    // Nothing is left to be ended but this.
    m_exit_status =
        m_exit_status.value_or(m_wait_status ? process::exit_status(*m_wait_status) : 128 + signal);
    close_streams();
    m_client_deadline = Clock::now();
  }
}

// Orphans of the server's are ours, too.
void Relay::take_ends_of_children() {
  for (;;) {
    siginfo_t info{};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return;
    // A group's number stays its own until its leader is reaped.
    if (info.si_pid == m_server.pid) kill(-m_server.pid, SIGKILL);
    int status = 0;
    if (waitpid(info.si_pid, &status, 0) != info.si_pid || info.si_pid != m_server.pid) continue;
    m_wait_status = status;
    m_server.pid = -1;
    m_server_deadline = never;
    process::kill_all_children(process::open_children_list(), process::Daemons::spared);
  }
}

// Nobody is there to speak with it.
void Relay::desert_server() {
  if (m_deserted) return;
  m_deserted = true;
  m_watched_reader = -1;
  if (!m_is_process) return close_streams();
  if (m_server.channel) shutdown(m_server.channel.get(), SHUT_WR);
  m_deaf = true;
  m_server_deadline = std::min(m_server_deadline, Clock::now() + deserted_patience);
}

void Relay::close_streams() {
  m_server.channel.reset();
  m_server.out.reset();
  m_server.err.reset();
}

void Relay::enforce_deadlines() {
  const auto now = Clock::now();
  const auto watch_full = [now](const Noise& noise, Clock::time_point& since) {
    if (noise.room() > 0) since = never;
    if (noise.room() == 0 && since == never) since = now + full_patience;
  };
  watch_full(m_streams.out(), m_out_full);
  watch_full(m_streams.err(), m_err_full);
  if (now >= m_candidate) {
    m_streams.give_up_waiting();
    watch_candidate();
    write_client();
  }
  if (server_has_ended()) {
    watch_leftovers(now);
  } else {
    watch_server(now);
  }
}

void Relay::watch_server(Clock::time_point now) {
  const bool silent = !m_server.channel &&
                      (m_streams.mode() == ServerStreams::Mode::channel ||
                       m_streams.protocol_is_on(ServerStreams::Source::channel) || !m_server.out);
  if (silent && m_server_deadline == never) m_server_deadline = now + closed_patience;
  if (now < m_server_deadline) return;
  if (!m_terminated) {
    m_terminated = true;
    if (!m_deserted)
      m_streams.say_error("the server has closed its streams and goes on; it is ended");
    kill(-m_server.pid, SIGTERM);
    kill(-m_server.pid, SIGCONT);
    m_server_deadline = now + term_patience;
  } else {
    kill(-m_server.pid, SIGKILL);
    m_server_deadline = never;
  }
}

// All that the server started is dead; yet something may hold its streams open.
void Relay::watch_leftovers(Clock::time_point now) {
  if (!m_is_process || m_finished) return;
  if (m_client_deadline == never) m_client_deadline = now + client_patience;
  if (now >= m_client_deadline && m_client_blocked) close_streams();
  if (streams_have_ended() || m_client_blocked) return;
  if (m_leftover_deadline == never) m_leftover_deadline = now + leftover_patience;
  if (now >= m_leftover_deadline) close_streams();
}

// ---- the end

void Relay::finish() {
  if (!end_was_asked_for()) m_streams.say_error(describe_death());
  m_streams.finish(!m_client.has_error_stream());
  m_finished = true;
  m_candidate = m_begun = m_out_full = m_err_full = m_leftover_deadline = never;
  if (!m_exit_status) m_client_deadline = Clock::now() + client_patience;
}

bool Relay::end_was_asked_for() const {
  if (!m_is_process) return m_goodbye.seen() || m_client.input_ended();
  const int status = process::exit_status(*m_wait_status);
  return status == 0 ? m_goodbye.seen() || m_client.input_ended()
                     : status == 1 && !m_goodbye.seen() && m_client.input_ended();
}

std::string Relay::describe_death() {
  if (!m_is_process) return m_where + " ended the connection before the session was over";
  const std::string words = last_words(m_streams);
  return "the server " + process::describe_wait_status(*m_wait_status) +
         (words.empty() ? "; it said nothing" : "; its last words:\n" + words);
}

}  // namespace hearth::shim
