#include "client/run/server_slot.hpp"

#include <boost/asio/post.hpp>

#include "client/text.hpp"

namespace hearth::client {
namespace {

using namespace std::chrono_literals;

constexpr auto end_patience = 15s;  // for a server to end after Goodbye, on top of the grace
constexpr std::size_t foreign_shown = std::size_t{4} * 1024;  // bytes of one run that are no packet
constexpr std::size_t printed_kept = std::size_t{4} * 1024;  // bytes, of what came instead of Hello

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
  m_started = m_heard = m_clock.now();
  m_link = std::make_unique<ServerLink>(m_io, *server, *this);
  return {};
}

std::size_t ServerSlot::list(const std::vector<std::string>& ids) {
  const auto parts = in_commands(ids);
  for (const auto part : parts) (void)m_link->session().list(part);
  m_link->flush();
  return parts.size();
}

std::string ServerSlot::run_ends() {
  return flushed(m_link->session().run(std::span<const std::string>()));
}

std::vector<ServerSlot::Given> ServerSlot::run(const std::vector<std::string>& ids, bool ends) {
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
  m_link->end_within(m_patience.grace + end_patience);
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
  if (m_link && !m_leaving && m_fatal.empty()) watch_silence(m_clock.now());
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
    m_ping = flushed(m_link->session().list(std::span<const std::string>()));
    return;
  }
  const auto borne =
      m_answers_at_work || !m_pinged_at_work ? m_patience.silence : m_patience.long_silence;
  if (now - std::max(m_asked, m_heard) > borne)
    give_up("it has said nothing for " + duration_text(now - m_heard) + ", not even when asked");
}

void ServerSlot::give_up(const std::string& why) {
  m_fatal = why;
  m_link->kill();
}

void ServerSlot::note(const std::string& line) {
  m_owner.on_note(*this, line);
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
  if (!m_leaving) m_owner.on_result(*this, *result.packet);
}

void ServerSlot::on(const protocol::CommandDone& done) {
  m_error.clear();
  if (done.nonce == m_ping) {
    m_ping.clear();
    m_answers_at_work = m_answers_at_work || m_pinged_at_work;
    return;
  }
  if (!m_leaving) m_owner.on_done(*this, done.nonce);
}

// It may be of several lines: how a server ended that is elsewhere, and its last words.
void ServerSlot::on(const protocol::ServerError& error) {
  if (m_error.size() < printed_kept) m_error += printable(error.text.substr(0, printed_kept));
  Lines lines;
  const auto show = [this](std::string_view line) { note("server: " + printable_line(line)); };
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
  note("the server's stream holds " + counted(foreign.bytes.size(), "byte") +
       " that are no packet: " + printable_line(text.substr(0, foreign_shown)));
}

void ServerSlot::on(const protocol::PeerFault& fault) {
  if (!fault.fatal) return note("the server broke the protocol: " + fault.reason);
  if (m_fatal.empty()) m_fatal = fault.reason;
  m_link->end_within(m_patience.grace + end_patience);
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
