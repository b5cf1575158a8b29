#include "shim/rendezvous.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <list>

#include "protocol/rpc_packet.hpp"
#include "transport/connect.hpp"
#include "transport/listener.hpp"
#include "transport/preface.hpp"
#include "transport/token.hpp"

namespace hearth::shim {
namespace {

constexpr std::size_t max_visitors = 32;      // the oldest makes room for one more
constexpr std::chrono::seconds patience{30};  // for the first word
constexpr int max_complaints = 100;

// One who has connected and whose session has not begun.
struct Visitor {
  UniqueFd fd;
  transport::Preface preface;
  bool spoke = false;
  Clock::time_point deadline;
};

class WaitingRoom {
 public:
  WaitingRoom(transport::Listener& listener, std::optional<std::string> token,
              ClientEnd& stdout_end, Signals& signals)
      : m_listener(listener), m_token(std::move(token)), m_stdout(stdout_end), m_signals(signals) {}

  std::variant<Arrival, NoArrival> wait() {
    for (;;) {
      fill();
      if (poll(m_list.data(), m_list.size(), timeout()) < 0) continue;
      if (m_list.events(m_signals.fd()) != 0) {
        if (m_signals.abandoned()) return NoArrival{1};
        const int signal = m_signals.take();
        if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
          return NoArrival{128 + signal};
        }
      }
      m_stdout.work(m_list);
      if (!m_stdout.lost().empty()) return NoArrival{1};
      if (auto arrival = hear_visitors()) return std::move(*arrival);
      if (m_list.events(m_listener.fd()) != 0) let_in();
    }
  }

 private:
  void fill() {
    m_list.clear();
    m_list.add(m_signals.fd(), POLLIN);
    m_stdout.watch(m_list, false, false);
    m_list.add(m_listener.fd(), POLLIN);
    for (const Visitor& visitor : m_visitors) m_list.add(visitor.fd.get(), POLLIN);
  }

  int timeout() const {
    return m_visitors.empty() ? -1 : 1000;  // ms, to see who is late
  }

  void let_in() {
    auto accepted = m_listener.accept();
    if (!accepted) return complain(accepted.error().text());
    if (!*accepted) return;
    if (m_visitors.size() == max_visitors) {
      turn_away(m_visitors.front(), "too many others connected");
      m_visitors.pop_front();
    }
    m_visitors.push_back(
        {std::move(**accepted), transport::Preface(m_token), false, Clock::now() + patience});
  }

  std::optional<Arrival> hear_visitors() {
    for (auto at = m_visitors.begin(); at != m_visitors.end();) {
      Visitor& visitor = *at;
      if (m_list.events(visitor.fd.get()) == 0) {
        if (is_late(visitor)) {
          turn_away(visitor, m_token ? "the connection did not begin with a token in time"
                                     : "the connection said nothing for too long");
          at = m_visitors.erase(at);
        } else {
          ++at;
        }
        continue;
      }
      switch (hear(visitor)) {
        case transport::Preface::State::more:
          ++at;
          continue;
        case transport::Preface::State::session:
          return Arrival{std::move(visitor.fd), visitor.preface.rest()};
        case transport::Preface::State::status:
          turn_away(visitor, "a shim has no status: it serves one client, and ends");
          break;
        case transport::Preface::State::refused:
          if (!visitor.preface.why().empty()) turn_away(visitor, visitor.preface.why());
          break;
      }
      at = m_visitors.erase(at);
    }
    return std::nullopt;
  }

  // Once the token has been given, the client takes its time.
  bool is_late(const Visitor& visitor) const {
    return !(m_token ? visitor.preface.admitted() : visitor.spoke) &&
           Clock::now() >= visitor.deadline;
  }

  // `refused` without a reason: it has left.
  static transport::Preface::State hear(Visitor& visitor) {
    char bytes[4096];
    const ssize_t got = recv(visitor.fd.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return transport::Preface::State::more;
    if (got <= 0) return transport::Preface::State::refused;
    visitor.spoke = true;
    return visitor.preface.take({bytes, static_cast<std::size_t>(got)});
  }

  void turn_away(const Visitor& visitor, const std::string& why) {
    protocol::Bytes packets;
    protocol::append_rpc_error(why, packets);
    (void)send(visitor.fd.get(), packets.data(), packets.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    complain("a connection was refused: " + why);
  }

  void complain(const std::string& what) {
    if (++m_complaints > max_complaints) return;
    protocol::Bytes packets;
    protocol::append_rpc_error(what, packets);
    (void)m_stdout.write(packets);
  }

  transport::Listener& m_listener;
  std::optional<std::string> m_token;
  ClientEnd& m_stdout;
  Signals& m_signals;
  std::list<Visitor> m_visitors;
  PollList m_list;
  int m_complaints = 0;
};

void announce(const transport::Listener& listener, const std::optional<std::string>& token,
              ClientEnd& stdout_end) {
  std::string where = transport::to_text(listener.address());
  if (token) where += " token " + *token;
  protocol::Bytes packets;
  (void)protocol::encode_file({.test_id = protocol::rpc_test_id,
                               .mime_type = protocol::text_mime_type,
                               .file_name = "listening",
                               .file_content = protocol::as_bytes(where),
                               .eof = true},
                              packets);
  (void)stdout_end.write(packets);
}

}  // namespace

Expected<UniqueFd> make_connection(const transport::Address& address,
                                   const std::optional<std::string>& token_file) {
  const auto line = transport::preface_of(address, token_file);
  if (!line) return tl::unexpected(line.error());
  auto connection = transport::connect(address);
  if (!connection) return tl::unexpected(connection.error().error);
  // Far less than any socket takes at once.
  const ssize_t sent = send(connection->get(), line->data(), line->size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(line->size())) {
    return tl::unexpected(
        Error{"send the token to " + transport::to_text(address), "the connection has ended", {}});
  }
  return std::move(*connection);
}

Expected<std::variant<Arrival, NoArrival>> wait_for_client(
    const transport::Address& address, const std::optional<std::string>& token_file,
    ClientEnd& stdout_end, Signals& signals) {
  auto listener = transport::Listener::open_locked(address);
  if (!listener) return tl::unexpected(listener.error());
  std::optional<std::string> token;
  if (std::holds_alternative<transport::TcpAddress>(address) || token_file) {
    token = transport::new_token();
  }
  if (token_file) {
    if (auto written = transport::write_token_file(*token_file, *token); !written) {
      return tl::unexpected(written.error());
    }
  }
  announce(*listener, token, stdout_end);
  return WaitingRoom(*listener, std::move(token), stdout_end, signals).wait();
}

}  // namespace hearth::shim
