#include "tunnel/answerer.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "process/children.hpp"
#include "process/wait_status.hpp"
#include "tunnel/answerer_forwards.hpp"
#include "tunnel/console_settings.hpp"
#include "tunnel/ending_signals.hpp"
#include "tunnel/forward_target.hpp"
#include "tunnel/owned_child.hpp"
#include "tunnel/raw_terminal.hpp"

namespace hearth::tunnel {
namespace {

constexpr std::uint8_t rpc = 0;
constexpr std::uint8_t standard_error = 1;
// For what is behind a session that broke, once its stdin has ended: to clean up. Milliseconds.
constexpr int patience = 10'000;
constexpr int grace = 5'000;

Expected<FdPair> make_pipe(bool we_read) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return tl::unexpected(Error{"make a pipe", std::strerror(errno), "raise `ulimit -n`"});
  if (we_read) return FdPair{UniqueFd(ends[0]), UniqueFd(ends[1])};
  return FdPair{UniqueFd(ends[1]), UniqueFd(ends[0])};
}

// Descriptors 0 to 2 are open: the pipes' numbers are above.
bool become_served(int in, int out, int err, pid_t parent) {
  return dup2(in, STDIN_FILENO) == STDIN_FILENO && dup2(out, STDOUT_FILENO) == STDOUT_FILENO &&
         dup2(err, STDERR_FILENO) == STDERR_FILENO && process::die_with_parent(SIGTERM, parent);
}

class Answerer : ConsoleLink::Owner {
 public:
  Answerer(const armour::Options& console, const AnswererOptions& options, pid_t child)
      : m_input(STDIN_FILENO),
        m_output(STDOUT_FILENO),
        m_child(child, false),
        m_forwards(options.forwards),
        m_link(StreamFd::borrow(STDIN_FILENO, Direction::in),
               StreamFd::borrow(STDOUT_FILENO, Direction::out), console, *this) {}

  int run(StreamFd child_in, StreamFd child_out, StreamFd child_err) {
    m_link.join(rpc, std::move(child_out), std::move(child_in));
    m_link.join(standard_error, std::move(child_err), {});
    m_link.handle(m_now = steady_now());
    while (!m_link.is_over()) step();
    m_link.close();
    const int status = m_child.end(m_link.trouble().empty() ? 2 * patience : patience, grace);
    m_output.restore();
    m_input.restore();
    return report(status);
  }

 private:
  void step() {
    std::vector<pollfd> polls{{m_signals.fd(), POLLIN, 0}};
    if (!m_child_ended) polls.push_back({m_child.pid_fd(), POLLIN, 0});
    m_link.prepare(polls);
    poll(polls.data(), polls.size(), m_link.timeout(steady_now()));
    m_now = steady_now();
    if (const int signal = m_signals.take()) {
      m_signal = signal;
      m_link.give_up();
    }
    if (!m_child_ended && m_child.status()) {
      m_child_ended = true;
      for (const auto channel : {rpc, standard_error}) m_link.read_rest_only(channel);
    }
    m_link.handle(m_now);
    if (m_child_ended && !m_ended && !m_link.reads(rpc) && !m_link.reads(standard_error)) {
      m_ended = true;
      m_link.end_stream();
      m_link.handle(m_now);
    }
  }

  [[nodiscard]] int report(int status) const {
    if (!m_link.trouble().empty())
      std::fprintf(stderr, "hearth-shim: %s\n", m_link.trouble().c_str());
    if (m_signal != 0) return 128 + m_signal;
    if (WIFSIGNALED(status)) return m_child_ended ? process::exit_status(status) : 1;
    return m_link.trouble().empty() || WEXITSTATUS(status) != 0 ? WEXITSTATUS(status) : 1;
  }

  void on_unjoined(std::uint8_t channel, ByteView bytes) override {
    if (channel < ConsoleLink::first_forward) return;
    const std::string trouble = m_forwards.take(m_link, channel, bytes, m_now);
    if (!trouble.empty()) m_link.say(standard_error, "hearth-shim: " + trouble + "\n");
  }
  void on_unjoined_end(std::uint8_t channel) override { m_link.end_channel(channel); }
  void on_dropped(std::uint8_t channel) override {
    m_link.say(standard_error, "hearth-shim: the forwarded connection on channel " +
                                   std::to_string(channel) +
                                   " took nothing for 10 s and was closed\n");
  }

  EndingSignals m_signals;
  RawTerminal m_input;
  RawTerminal m_output;
  OwnedChild m_child;
  AnswererForwards m_forwards;
  ConsoleLink m_link;
  Time m_now{0};
  bool m_child_ended = false;
  bool m_ended = false;
  int m_signal = 0;
};

}  // namespace

Expected<std::optional<int>> answer_console(const AnswererOptions& options) {
  for (const auto& target : options.forwards)
    if (const auto checked = check_target(target); !checked) return tl::unexpected(checked.error());
  const auto console = console_options(armour::Side::answerer);
  if (!console) return tl::unexpected(console.error());
  auto in = make_pipe(false);
  auto out = make_pipe(true);
  auto err = make_pipe(true);
  for (const auto* pair : {&in, &out, &err})
    if (!*pair) return tl::unexpected(pair->error());
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) return tl::unexpected(Error{"split the process", std::strerror(errno), ""});
  if (child == 0) {
    if (!become_served(in->theirs.get(), out->theirs.get(), err->theirs.get(), parent)) _exit(1);
    return std::nullopt;
  }
  for (auto* pair : {&in, &out, &err}) (*pair)->theirs.reset();
  Answerer answerer(*console, options, child);
  return answerer.run(StreamFd::own(std::move(in->ours)), StreamFd::own(std::move(out->ours)),
                      StreamFd::own(std::move(err->ours)));
}

}  // namespace hearth::tunnel
