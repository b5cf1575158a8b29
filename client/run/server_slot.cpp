#include "client/run/server_slot.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "client/text.hpp"
#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t complaints_shown = 100;                 // of one server
constexpr std::size_t foreign_shown = std::size_t{4} * 1024;  // bytes of one run that are no packet
constexpr std::size_t printed_kept = std::size_t{4} * 1024;  // bytes, of what came instead of Hello

// A print, which no packet leaves behind: what is left of one holds control characters, or is no
// UTF-8. ESC is for colours.
bool is_print(std::string_view text) {
  return protocol::check_string(text) == protocol::StringFault::none &&
         std::none_of(text.begin(), text.end(), [](char c) {
           return (c >= 0 && c < ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\x1b') ||
                  c == '\x7f';
         });
}

}  // namespace

ServerSlot::ServerSlot(asio::io_context& io, Worker worker, std::vector<std::string> command,
                       const Patience& patience, const RunClock& clock, Owner& owner)
    : m_io(io),
      m_worker(worker),
      m_command(std::move(command)),
      m_patience(patience),
      m_clock(clock),
      m_owner(owner) {}

Expected<void> ServerSlot::start() {
  const auto server = start_server(m_command);
  if (!server) return tl::unexpected(server.error());
  m_results.clear();
  m_fatal.clear();
  m_printed.clear();
  m_error.clear();
  m_ready = m_leaving = m_answers_at_work = false;
  m_ping.clear();
  m_doubt.clear();
  m_complaints = 0;
  m_stopped.reset();
  m_started = m_heard = m_answered = m_looked = m_clock.now();
  m_link = std::make_unique<ServerLink>(m_io, *server, *this, m_patience.grace + m_patience.group);
  return {};
}

std::string ServerSlot::list() {
  m_answered = m_clock.now();
  m_doubt.clear();
  return flushed(m_link->session().list(std::nullopt));
}

std::vector<std::string> ServerSlot::list(const std::vector<std::string>& ids) {
  m_answered = m_clock.now();
  std::vector<std::string> nonces;
  for (const auto part : in_commands(ids)) nonces.push_back(m_link->session().list(part));
  m_link->flush();
  return nonces;
}

std::string ServerSlot::run_ends() {
  m_answered = m_clock.now();
  return flushed(m_link->session().run(std::span<const std::string>()));
}

std::vector<ServerSlot::Given> ServerSlot::run(const std::vector<std::string>& ids, bool ends) {
  m_answered = m_clock.now();
  std::vector<Given> given;
  const auto parts = in_commands(ids);
  for (const auto part : parts)
    given.push_back({m_link->session().run(part, ends && parts.size() == 1), part.size()});
  m_link->flush();
  return given;
}

std::string ServerSlot::flushed(std::string nonce) {
  m_link->flush();
  return nonce;
}

void ServerSlot::goodbye() {
  if (!m_link || m_leaving) return;
  m_leaving = true;
  m_link->session().goodbye();
  m_link->flush();
  m_link->end_within(m_patience.grace + m_patience.end);
}

void ServerSlot::hurry() {
  if (m_link) m_link->end_within(m_patience.grace + m_patience.hurried_end);
}

void ServerSlot::kill() {
  if (m_link) m_link->kill();
}

void ServerSlot::suspend() {
  if (m_link) m_link->suspend();
}

void ServerSlot::resume() {
  if (m_link) m_link->resume();
}

void ServerSlot::tick() {
  if (!m_link) return;
  m_link->tick();
  if (!m_link || m_leaving || !m_fatal.empty()) return;
  watch_silence(m_clock.now());
  if (m_fatal.empty()) watch_for_a_stop(m_clock.now());
}

void ServerSlot::watch_silence(SteadyTime now) {
  if (!m_ready) {
    if (now - m_started > m_patience.start)
      give_up("it said no Hello within " + duration_text(m_patience.start));
    return;
  }
  if (in_flight() == 0 || now - m_heard < m_patience.quiet) return;
  if (m_ping.empty()) {
    m_asked = now;
    m_pinged_at_work = !m_results.running().empty();
    m_silence_told = false;
    m_ping = flushed(m_link->session().list(std::span<const std::string>()));
    return;
  }
  const auto borne =
      m_answers_at_work || !m_pinged_at_work ? m_patience.silence : m_patience.long_silence;
  const auto since = std::max(m_asked, m_heard);
  if (now - since >= m_patience.unanswered && !std::exchange(m_silence_told, true))
    note("the server has said nothing for " + duration_text(now - m_heard) +
         " and does not answer; it is given up after " + duration_text(borne) + " of that");
  if (now - since > borne)
    give_up("it has said nothing for " + duration_text(now - m_heard) + ", not even when asked");
}

// Of a server on this machine it can be seen why it says nothing.
void ServerSlot::watch_for_a_stop(SteadyTime now) {
  if (now - m_heard < m_patience.look || (m_ready && in_flight() == 0)) {
    m_stopped.reset();
    return;
  }
  if (now - m_looked < m_patience.look) return;
  m_looked = now;
  const auto process = m_link->stopped_process();
  if (!process) {
    if (std::exchange(m_stopped, {})) note("the server goes on");
    return;
  }
  const auto who = "process " + std::to_string(process->pid) + " (" +
                   printable_line(process->name) + ") of the server";
  if (!m_stopped) {
    m_stopped = now;
    note(who + " is stopped: somebody sent it SIGSTOP or SIGTSTP; `kill -CONT " +
         std::to_string(process->pid) + "` lets it go on, and it is given up in " +
         duration_text(m_patience.stopped));
  } else if (now - *m_stopped >= m_patience.stopped) {
    give_up(who + " was stopped, and stood still for " + duration_text(now - *m_stopped));
  }
}

void ServerSlot::give_up(const std::string& why) {
  m_fatal = why;
  m_link->kill();
}

void ServerSlot::note(const std::string& line) {
  m_owner.on_note(*this, line);
}

// What is wrong with it, as often as anybody would read it.
void ServerSlot::complain(const std::string& line) {
  if (++m_complaints <= complaints_shown) note(line);
  if (m_complaints == complaints_shown)
    note("the server has " + counted(complaints_shown, "complaint") +
         " by now, its own and about it; further ones are not shown");
}

void ServerSlot::damaged(const std::string& what) {
  m_doubt = what;
  m_owner.on_damage(*this, what);
}

void ServerSlot::on_event(const protocol::ClientEvent& event) {
  m_heard = m_clock.now();
  std::visit([this](const auto& kind) { on(kind); }, event);
}

void ServerSlot::on_server_line(std::string_view line) {
  if (!m_ready && m_printed.size() < printed_kept) m_printed += printable_line(line) + "\n";
  note(printable_line(line));
}

void ServerSlot::on(const protocol::ServerReady&) {
  m_ready = true;
  if (!m_leaving) m_owner.on_ready(*this);
}

void ServerSlot::on(const protocol::ResultPacket& result) {
  m_error.clear();
  m_doubt.clear();
  m_answered = m_heard;
  m_owner.on_result(*this, *result.packet);
}

void ServerSlot::on(const protocol::CommandDone& done) {
  m_error.clear();
  if (done.nonce == m_ping) {
    m_ping.clear();
    m_answers_at_work = m_answers_at_work || m_pinged_at_work;
    return;
  }
  m_doubt.clear();
  m_answered = m_heard;
  if (!m_leaving) m_owner.on_done(*this, done.nonce);
}

// It may be of several lines: how a server ended that is elsewhere, and its last words.
void ServerSlot::on(const protocol::ServerError& error) {
  if (m_error.size() < printed_kept) m_error += printable(error.text.substr(0, printed_kept));
  Lines lines;
  const auto show = [this](std::string_view line) { complain("server: " + printable_line(line)); };
  lines.add(error.text, show);
  lines.finish(show);
}

void ServerSlot::on(const protocol::ServerOutput& output) {
  auto& lines = output.file == "stdout" ? m_stdout : m_stderr;
  const auto show = [this](std::string_view line) { on_server_line(line); };
  lines.add(protocol::as_text(output.bytes), show);
  if (output.eof) lines.finish(show);
}

void ServerSlot::end_lines() {
  for (auto* const lines : {&m_stdout, &m_stderr})
    lines->finish([this](std::string_view line) { on_server_line(line); });
}

void ServerSlot::on(const protocol::ForeignOutput& foreign) {
  const auto text = protocol::as_text(foreign.bytes);
  if (!m_ready && m_printed.size() < printed_kept)
    m_printed += printable(text.substr(0, printed_kept));
  if (!is_print(text)) damaged("bytes that are no packet");
  complain("the server's stream holds " + counted(foreign.bytes.size(), "byte") +
           " that are no packet: " + printable_line(text.substr(0, foreign_shown)));
}

void ServerSlot::on(const protocol::PeerFault& fault) {
  if (!fault.fatal) {
    complain("the server broke the protocol: " + fault.reason);
    if (fault.damage) damaged(fault.reason);
    return;
  }
  if (m_fatal.empty()) m_fatal = fault.reason;
  m_link->end_within(m_patience.grace + m_patience.end);
}

// What is left of the link may not go before this call of it returns.
void ServerSlot::on_end(int wait_status, nanoseconds cpu) {
  asio::post(m_io, [this, wait_status, cpu] {
    end_lines();
    End end;
    end.how = (m_fatal.empty() ? "" : m_fatal + "; ") + "it " + describe_end(wait_status);
    if (!m_error.empty()) end.how += "; it said: " + printable_line(m_error);
    end.said_hello = m_ready;
    end.wanted = m_leaving;
    end.wait_status = wait_status;
    end.printed = m_printed;
    end.cpu = cpu;
    m_link.reset();
    m_owner.on_gone(*this, end);
  });
}

std::vector<std::span<const std::string>> in_commands(std::span<const std::string> ids,
                                                      std::size_t max_ids, std::size_t max_bytes) {
  std::vector<std::span<const std::string>> commands;
  std::size_t start = 0;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const auto size = ids[i].size() * 6 + 3;  // as JSON, at the worst
    if (i > start && (i - start == max_ids || bytes + size > max_bytes)) {
      commands.push_back(ids.subspan(start, i - start));
      start = i;
      bytes = 0;
    }
    bytes += size;
  }
  if (start < ids.size()) commands.push_back(ids.subspan(start));
  return commands;
}

}  // namespace hearth::client
