#include "client/attach/console_attach.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "client/attach/console_child.hpp"
#include "client/attach/console_forwards.hpp"
#include "client/attach/console_typist.hpp"
#include "client/exit_code.hpp"
#include "client/link/server_process.hpp"
#include "protocol/goodbye_watch.hpp"
#include "tunnel/console_settings.hpp"
#include "tunnel/ending_signals.hpp"
#include "tunnel/text_lines.hpp"

namespace hearth::client {
namespace {

using protocol::ByteView;
using tunnel::ConsoleLink;
using tunnel::Direction;
using tunnel::StreamFd;
using tunnel::Time;

constexpr std::uint8_t rpc = 0;
constexpr std::uint8_t standard_error = 1;
constexpr std::size_t longest_typed = 4'095;  // bytes, line end included: a canonical line
constexpr Time text_pause{500};               // then a line that has not ended is shown
constexpr int patience = 500;                 // ms, for a command whose stdin has ended
constexpr int grace = 2'000;                  // ms, after TERM

class ConsoleAttach : ConsoleLink::Owner {
 public:
  ConsoleAttach(const tunnel::armour::Options& options, const ConsoleCommand& command,
                ConsoleForwards forwards, ConsoleChild child)
      : m_name(command.words[0]),
        m_child(std::move(child.process)),
        m_forwards(std::move(forwards)),
        m_typist(command.lines, tunnel::steady_now()),
        m_link(StreamFd::own(std::move(child.out)), StreamFd::own(std::move(child.in)), options,
               *this) {
    m_link.join(rpc, StreamFd::borrow(STDIN_FILENO, Direction::in),
                StreamFd::borrow(STDOUT_FILENO, Direction::out));
    m_link.join(standard_error, {}, StreamFd::borrow(STDERR_FILENO, Direction::out));
  }

  int run() {
    while (!m_link.is_over()) step();
    flush_text();
    const bool console_ended = m_link.console_ended();
    m_link.close();
    const int status = m_child.end(console_ended ? grace : patience, grace);
    if (!m_goodbye.seen() || !m_link.trouble().empty()) {
      std::fprintf(stderr, "hearth: attach: %s\n", reason(console_ended, status).c_str());
      return as_int(ExitCode::failures);
    }
    return as_int(ExitCode::success);
  }

 private:
  void step() {
    std::vector<pollfd> polls{{m_signals.fd(), POLLIN, 0}};
    m_forwards.prepare(polls, m_link);
    m_link.prepare(polls);
    poll(polls.data(), polls.size(), timeout(tunnel::steady_now()));
    m_now = tunnel::steady_now();
    if (const int signal = m_signals.take()) {
      m_signal = signal;
      m_link.give_up();
    }
    m_link.handle(m_now);
    type();
    if (const auto trouble = m_forwards.accept(m_link); !trouble.empty()) say(trouble);
    if (m_text.has_rest() && m_now >= m_heard + text_pause) flush_text();
  }

  [[nodiscard]] int timeout(Time now) const {
    int until = m_link.timeout(now);
    const auto add = [&](std::optional<Time> time) {
      if (!time) return;
      const int left = static_cast<int>(std::max((*time - now).count(), Time::rep{0}));
      until = until < 0 ? left : std::min(until, left);
    };
    add(m_typist.due());
    if (m_text.has_rest()) add(m_heard + text_pause);
    return until;
  }

  // The hellos begin behind the last line.
  void type() {
    if (m_link.began()) return;
    while (auto line = m_typist.take(m_now)) m_link.type(*line);
    if (!m_typist.due()) m_link.begin(m_now);
    m_link.handle(m_now);
  }

  void on_foreign(std::string_view text, std::uint64_t dropped) override {
    m_heard = m_now;
    m_typist.heard(text, m_now);
    show(m_text.add(text));
    if (dropped != 0) say(std::to_string(dropped) + " bytes that the console said are not shown");
  }
  void on_read(std::uint8_t channel, ByteView bytes) override {
    if (channel == rpc) m_goodbye.feed(bytes);
  }
  void on_dropped(std::uint8_t channel) override {
    say("the forwarded connection on channel " + std::to_string(channel) +
        " took nothing for 10 s and was closed");
  }
  void on_stream_end() override {
    m_client_ended = !m_link.reads(rpc);
    m_link.end_stream();
  }

  void flush_text() {
    show(m_text.finish());
    m_link.handle(m_now);
  }

  // `lines`: each with its end.
  void show(const std::string& lines) {
    std::string marked;
    for (std::size_t at = 0, end = 0; at < lines.size(); at = end) {
      end = lines.find('\n', at) + 1;
      marked += "console: " + lines.substr(at, end - at);
    }
    m_link.deliver(standard_error, std::as_bytes(std::span(marked)), m_now);
  }
  void say(const std::string& text) {
    const std::string line = "hearth: attach: " + text + "\n";
    m_link.deliver(standard_error, std::as_bytes(std::span(line)), m_now);
  }

  [[nodiscard]] std::string reason(bool console_ended, int status) const {
    if (m_signal != 0) return std::string("told to end by SIG") + sigabbrev_np(m_signal);
    if (m_link.trouble().empty()) {
      return m_client_ended ? "the client ended without a Goodbye"
                            : "the server ended before the client's Goodbye";
    }
    if (!console_ended) return m_link.trouble();
    return m_link.trouble() + "; " + m_name + " " + describe_end(status);
  }

  tunnel::EndingSignals m_signals;
  std::string m_name;
  tunnel::OwnedChild m_child;
  ConsoleForwards m_forwards;
  ConsoleTypist m_typist;
  ConsoleLink m_link;
  protocol::GoodbyeWatch m_goodbye;
  tunnel::TextLines m_text;
  Time m_now = tunnel::steady_now();
  Time m_heard{0};
  bool m_client_ended = false;
  int m_signal = 0;
};

int refuse(const Error& error) {
  std::fprintf(stderr, "hearth: attach: %s\n", error.text().c_str());
  return as_int(ExitCode::trouble);
}

}  // namespace

int attach_console(const ConsoleCommand& command) {
  unsetenv("HEARTH_CHANNEL_FD");  // it is for a server that we are not
  const auto options = tunnel::console_options(tunnel::armour::Side::caller);
  if (!options) return refuse(options.error());
  for (const auto& line : command.lines)
    if (line.size() >= longest_typed)
      return refuse({"type " + line.substr(0, 40) + "...", "the line is longer than 4,094 bytes",
                     "consoles cut it: put it into a script at the other end"});
  ConsoleForwards forwards;
  for (const auto& text : command.forwards) {
    const auto spec = parse_forward(text);
    if (!spec) return refuse(spec.error());
    if (const auto opened = forwards.open(*spec); !opened) return refuse(opened.error());
  }
  auto child = start_console(command.words);
  if (!child) return refuse(child.error());
  return ConsoleAttach(*options, command, std::move(forwards), std::move(*child)).run();
}

}  // namespace hearth::client
