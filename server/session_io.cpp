#include "server/session_io.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>

#include "process/open_again.hpp"

namespace hearth::server {
namespace {

constexpr std::size_t room = 8u << 20;  // bytes of output that a client may be behind
constexpr auto candidate_patience = std::chrono::seconds(3);

// False for regular files and for devices like /dev/null. (Asio takes these too, and then never
// calls back.)
bool can_be_watched(int fd) {
  const UniqueFd epoll(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  return epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

UniqueFd own_description(UniqueFd fd, int access) {
  UniqueFd again = process::open_again(fd.get(), access);
  return again ? std::move(again) : std::move(fd);
}

}  // namespace

SessionIo::SessionIo(asio::io_context& io, UniqueFd in, UniqueFd out,
                     protocol::ServerSession& session, Events events)
    : m_session(session),
      m_events(std::move(events)),
      m_in(io),
      m_own_out(io),
      m_out(out ? m_own_out : m_in),
      m_out_fd(-1),
      m_candidate_timer(io) {
  UniqueFd own_in = own_description(std::move(in), O_RDONLY);
  if (can_be_watched(own_in.get())) {
    fcntl(own_in.get(), F_SETFL, fcntl(own_in.get(), F_GETFL) | O_NONBLOCK);
    m_out_fd = own_in.get();
    m_in.assign(own_in.release());
  } else {
    m_in_file = std::move(own_in);
  }
  if (!out) return;
  UniqueFd own_out = own_description(std::move(out), O_WRONLY);
  m_out_fd = own_out.get();
  if (can_be_watched(own_out.get())) {
    fcntl(own_out.get(), F_SETFL, fcntl(own_out.get(), F_GETFL) | O_NONBLOCK);
    m_own_out.assign(own_out.release());
  } else {
    m_out_file = std::move(own_out);
  }
}

void SessionIo::start(protocol::ByteView already) {
  if (!already.empty()) {
    m_session.receive(already);
    take_events();
    watch_candidate();
  }
  wait_for_input();
}

// A client that does not read is heard for long, since it may say Goodbye; but what it asks for and
// what it does wrong is answered into memory.
bool SessionIo::may_read() const {
  return has_room(m_session) || (m_session.output().size() < 2 * room && m_events.may_pile_up());
}

void SessionIo::wait_for_input() {
  if (m_ended) return;
  m_paused = !may_read();
  if (m_paused) return;
  if (m_in_file) {
    asio::post(m_in.get_executor(), [this] { read_input(); });
    return;
  }
  m_in.async_wait(asio::posix::stream_descriptor::wait_read, [this](ErrorCode error) {
    if (!error) read_input();
  });
}

void SessionIo::read_input() {
  static std::vector<std::byte> buffer(64 * 1024);
  const int fd = m_in_file ? m_in_file.get() : m_in.native_handle();
  const ssize_t got = read(fd, buffer.data(), buffer.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return wait_for_input();
  if (got > 0) {
    m_session.receive({buffer.data(), static_cast<std::size_t>(got)});
  } else {
    m_session.receive_eof();
  }
  take_events();
  if (got <= 0) {
    write_output();
    return end(End::lost,
               got == 0 ? "the client closed its end without Goodbye" : "the client's end failed");
  }
  watch_candidate();
  wait_for_input();
}

void SessionIo::take_events() {
  while (!m_ended) {
    auto event = m_session.next();
    if (!event) return;
    if (auto* const list = std::get_if<protocol::ListRequested>(&*event)) {
      m_events.on_list(std::move(*list));
    } else if (auto* const run = std::get_if<protocol::RunRequested>(&*event)) {
      m_events.on_run(std::move(*run));
    } else if (auto* const refused = std::get_if<protocol::SessionRefused>(&*event)) {
      end(End::refused, refused->reason);
    } else {
      write_output();  // what was answered before it; that the client does not read on is no matter
                       // now
      end(End::goodbye, {});
    }
  }
}

// What looks like the beginning of a packet and does not go on is text after all, and so is each
// further beginning behind it: one silence is enough for all of them (RPC-2.13).
void SessionIo::watch_candidate() {
  m_candidate_timer.cancel();
  if (!m_session.waiting()) return;
  m_candidate_timer.expires_after(candidate_patience);
  m_candidate_timer.async_wait([this](ErrorCode error) {
    if (error || m_ended) return;
    while (m_session.waiting() && !m_ended) {
      m_session.give_up_waiting();
      take_events();
    }
  });
}

void SessionIo::end(End end, const std::string& reason) {
  if (std::exchange(m_ended, true)) return;
  m_candidate_timer.cancel();
  m_events.on_end(end, reason);
}

bool SessionIo::wait_for_end(int signals) const {
  const int in = m_in_file ? -1 : const_cast<asio::posix::stream_descriptor&>(m_in).native_handle();
  pollfd sources[] = {{signals, POLLIN, 0}, {in, POLLRDHUP, 0}, {m_out_file ? -1 : m_out_fd, 0, 0}};
  while (poll(sources, 3, -1) < 0 && errno == EINTR) {
  }
  return sources[1].revents != 0 || sources[2].revents != 0;
}

bool has_room(const protocol::ServerSession& session) {
  return session.output().size() < room;
}

// As much as goes without waiting.
SessionIo::Written SessionIo::write_output() {
  while (!m_session.output().empty()) {
    const protocol::ByteView output = m_session.output();
    const ssize_t written = write(m_out_fd, output.data(), output.size());
    if (written > 0) {
      m_session.consume(static_cast<std::size_t>(written));
    } else if (written < 0 && errno == EAGAIN && !m_out_file) {
      return Written::some;
    } else if (written == 0 || errno != EINTR) {
      return Written::refused;
    }
  }
  return Written::all;
}

void SessionIo::close() {
  ErrorCode ignored;
  m_candidate_timer.cancel();
  m_in.close(ignored);
  m_own_out.close(ignored);
  m_in_file.reset();
  m_out_file.reset();
}

void SessionIo::flush() {
  if (m_writing) return;
  const bool had_room = has_room(m_session);
  switch (write_output()) {
    case Written::all:
      break;
    case Written::some:
      m_writing = true;
      m_out.async_wait(asio::posix::stream_descriptor::wait_write, [this](ErrorCode error) {
        if (error) return;
        m_writing = false;
        flush();
      });
      break;
    case Written::refused:
      return end(End::lost,
                 std::string("the client does not read any more: ") + std::strerror(errno));
  }
  if (!had_room && has_room(m_session) && !m_ended) m_events.on_room();
  if (m_paused && may_read()) wait_for_input();
}

void SessionIo::flush_finally(std::chrono::steady_clock::time_point deadline) {
  const auto left = [&] {
    const auto time =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    return static_cast<int>(std::max<std::int64_t>(0, time.count()));
  };
  pollfd writable{m_out_fd, POLLOUT, 0};
  while (!m_session.output().empty() && poll(&writable, 1, left()) > 0) {
    const protocol::ByteView output = m_session.output();
    const ssize_t written = write(m_out_fd, output.data(), output.size());
    if (written <= 0 && errno != EINTR && errno != EAGAIN) return;
    if (written > 0) m_session.consume(static_cast<std::size_t>(written));
  }
}

}  // namespace hearth::server
