#include "server/reception.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "protocol/server_session.hpp"
#include "transport/preface.hpp"

namespace hearth::server {
namespace {

constexpr auto preface_patience = std::chrono::seconds(30);
constexpr auto farewell_patience = std::chrono::seconds(2);
constexpr auto pause_after_failure = std::chrono::milliseconds(100);
constexpr std::size_t max_arrivals = 1024;
constexpr int takes_at_a_time = 64;
constexpr std::size_t bite = 4096;  // bytes read before it is known whose they are

std::string error_packet(const std::string& text) {
  protocol::ServerSession session;
  session.report_error(text);
  const protocol::ByteView bytes = session.output();
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

// One that has connected: until it is a client, or has been told why not.
class Reception::Arrival : public std::enable_shared_from_this<Arrival> {
 public:
  Arrival(Reception& reception, UniqueFd fd)
      : m_reception(&reception),
        m_preface(reception.m_token),
        m_fd(reception.m_io),
        m_deadline(reception.m_io) {
    ErrorCode refused;
    m_fd.assign(fd.get(), refused);
    if (!refused) (void)fd.release();
  }

  // False: the event loop cannot watch it.
  [[nodiscard]] bool is_open() const { return m_fd.is_open(); }

  void start() {
    m_deadline.expires_after(preface_patience);
    m_deadline.async_wait([kept = shared_from_this()](ErrorCode error) {
      if (!error) kept->on_deadline();
    });
    wait(asio::posix::stream_descriptor::wait_read, &Arrival::read_some);
  }

  void turn_away(const std::string& why) {
    std::fprintf(stderr, "hearth: a connection was refused: %s\n", why.c_str());
    say(error_packet("The connection was refused: " + why + '\n'));
  }

 private:
  void wait(asio::posix::stream_descriptor::wait_type what, void (Arrival::*then)()) {
    m_fd.async_wait(what, [kept = shared_from_this(), then](ErrorCode error) {
      if (!error && kept->m_reception != nullptr) (kept.get()->*then)();
    });
  }

  void read_some() {
    if (m_speaks) return;
    char bytes[bite];
    const ssize_t got = read(m_fd.native_handle(), bytes, sizeof bytes);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
      return wait(m_fd.wait_read, &Arrival::read_some);
    if (got <= 0) return leave();
    using State = transport::Preface::State;
    switch (m_preface.take({bytes, static_cast<std::size_t>(got)})) {
      case State::more:
        return wait(m_fd.wait_read, &Arrival::read_some);
      case State::refused:
        return turn_away(m_preface.why());
      case State::status:
        return say(m_reception->m_events.state());
      case State::session:
        break;
    }
    if (m_reception->m_events.is_full())
      return turn_away("the server has as many clients as it takes");
    Reception& reception = *m_reception;
    UniqueFd client(m_fd.release());
    leave();
    reception.m_events.on_client(std::move(client), m_preface.rest());
  }

  // The last words. What the client still sends is read until it closes its end, so that the kernel
  // does not throw away what it has not read.
  void say(std::string words) {
    m_speaks = true;
    m_words = std::move(words);
    m_deadline.expires_after(farewell_patience);
    m_deadline.async_wait([kept = shared_from_this()](ErrorCode error) {
      if (!error) kept->leave();
    });
    write_some();
  }

  void write_some() {
    while (!m_words.empty()) {
      const ssize_t written = write(m_fd.native_handle(), m_words.data(), m_words.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0 && errno == EAGAIN) return wait(m_fd.wait_write, &Arrival::write_some);
      if (written <= 0) return leave();
      m_words.erase(0, static_cast<std::size_t>(written));
    }
    shutdown(m_fd.native_handle(), SHUT_WR);
    wait(m_fd.wait_read, &Arrival::read_away);
  }

  void read_away() {
    char bytes[bite];
    const ssize_t got = read(m_fd.native_handle(), bytes, sizeof bytes);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return leave();
    wait(m_fd.wait_read, &Arrival::read_away);
  }

  void on_deadline() {
    if (m_reception != nullptr)
      turn_away("it said nothing that a client says for " +
                std::to_string(preface_patience.count()) + " s");
  }

  // Not destroyed before its callbacks are.
  void leave() {
    if (m_reception == nullptr) return;
    m_deadline.cancel();
    ErrorCode ignored;
    m_fd.close(ignored);
    std::exchange(m_reception, nullptr)->remove(this);
  }

  Reception* m_reception;  // nullptr: it has left
  transport::Preface m_preface;
  asio::posix::stream_descriptor m_fd;
  asio::steady_timer m_deadline;
  std::string m_words;
  bool m_speaks = false;  // it gets its last words, and is not listened to any more
};

Reception::Reception(asio::io_context& io, transport::Listener listener,
                     std::optional<std::string> token, Events events)
    : m_io(io),
      m_listener(std::move(listener)),
      m_address(m_listener->address()),
      m_token(std::move(token)),
      m_events(std::move(events)),
      m_pause(io) {
  m_readable.emplace(io, m_listener->fd());
  wait();
}

void Reception::wait() {
  m_readable->async_wait(asio::posix::stream_descriptor::wait_read, [this](ErrorCode error) {
    if (error || !m_listener) return;
    if (take_waiting()) return wait();
    m_pause.expires_after(pause_after_failure);
    m_pause.async_wait([this](ErrorCode stopped) {
      if (!stopped && m_listener) wait();
    });
  });
}

// False: that did not go well. Said once, until it does.
bool Reception::take_waiting() {
  for (int taken = 0; taken < takes_at_a_time; ++taken) {
    auto client = m_listener->accept();
    if (!client) {
      if (!std::exchange(m_failing, true)) {
        std::fprintf(stderr, "hearth: %s\n", client.error().text().c_str());
      }
      return false;
    }
    if (!*client) break;
    m_failing = false;
    greet(std::move(**client));
  }
  return true;
}

void Reception::greet(UniqueFd client) {
  const bool is_full = m_arrivals.size() >= max_arrivals;
  auto arrival = std::make_shared<Arrival>(*this, std::move(client));
  if (!arrival->is_open()) return;
  m_arrivals.push_back(std::move(arrival));
  if (is_full) return m_arrivals.back()->turn_away("too many connections are waiting to be let in");
  m_arrivals.back()->start();
}

void Reception::close() {
  if (!m_listener) return;
  m_listener->withdraw();
  while (has_waiting() && take_waiting()) {
  }
  m_readable->release();
  m_readable.reset();
  m_pause.cancel();
  m_listener.reset();
}

bool Reception::has_waiting() const {
  pollfd waiting{m_listener->fd(), POLLIN, 0};
  return poll(&waiting, 1, 0) > 0;
}

bool Reception::is_busy() const {
  return !m_arrivals.empty() || (m_listener && has_waiting());
}

void Reception::remove(Arrival* arrival) {
  m_arrivals.remove_if([&](const auto& one) { return one.get() == arrival; });
}

}  // namespace hearth::server
