#include "client/orchestrator.hpp"

#include <algorithm>
#include <csignal>

#include "client/progress.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;
using namespace std::chrono_literals;

namespace {

constexpr auto tick_every = 100ms;
constexpr auto end_patience = 15s;  // for a server to end after Goodbye, on top of the grace
constexpr std::size_t foreign_shown = std::size_t{4} * 1024;  // bytes of one run that are no packet

class Orchestrator : public ServerLink::Listener {
 public:
  Orchestrator(asio::io_context& io, const ServerProcess& server, SessionPlan plan,
               Observer& observer);

  [[nodiscard]] SessionEnd take_end() { return std::move(m_end); }

  void on_event(const protocol::ClientEvent& event) override {
    std::visit([this](const auto& kind) { on(kind); }, event);
  }
  void on_server_line(std::string_view line) override { m_observer.on_note(printable_line(line)); }
  void on_end(int wait_status) override;

 private:
  enum class Phase : std::uint8_t { starting, listing, running, leaving };

  void on(const protocol::ServerReady& ready);
  void on(const protocol::ResultPacket& result);
  void on(const protocol::CommandDone& done);
  void on(const protocol::ServerError& error);
  void on(const protocol::ForeignOutput& foreign);
  void on(const protocol::PeerFault& fault);

  void select();
  void run(std::vector<std::string> ids, bool all);
  void leave();
  void interrupt();
  void wait_for_signal();
  void tick();
  [[nodiscard]] Snapshot snapshot() const;
  [[nodiscard]] std::string activity() const;
  void report_lost_tests();

  SessionPlan m_plan;
  Observer& m_observer;
  SteadyTime m_started = std::chrono::steady_clock::now();
  Phase m_phase = Phase::starting;
  std::unique_ptr<RunModel> m_model = std::make_unique<RunModel>();
  SessionEnd m_end;
  std::string m_fatal;  // the fault that ended the session
  bool m_said_hello = false;
  bool m_over = false;
  asio::signal_set m_signals;
  asio::steady_timer m_ticker;
  ServerLink m_link;
};

Orchestrator::Orchestrator(asio::io_context& io, const ServerProcess& server, SessionPlan plan,
                           Observer& observer)
    : m_plan(std::move(plan)),
      m_observer(observer),
      m_signals(io, SIGINT, SIGTERM, SIGHUP),
      m_ticker(io),
      m_link(io, server, *this) {
  wait_for_signal();
  tick();
}

void Orchestrator::on(const protocol::ServerReady&) {
  m_said_hello = true;
  if (m_phase != Phase::starting) return;
  if (m_plan.ids) {
    select();
  } else {
    m_phase = Phase::listing;
    m_link.session().list(std::nullopt);
  }
}

void Orchestrator::on(const protocol::ResultPacket& result) {
  const auto& packet = *result.packet;
  if (m_phase == Phase::listing) {
    if (packet.status == TestStatus::exists && packet.test_id)
      m_end.listed.emplace_back(*packet.test_id);
    return;
  }
  m_observer.on_packet(packet);
  const auto report = m_model->apply(packet, std::chrono::steady_clock::now());
  if (!report) return;
  if (is_failure(report->status))
    m_end.outcome.failures.push_back({report->id, short_cause(*report)});
  m_observer.on_report(*report, m_model->counts());
}

void Orchestrator::on(const protocol::CommandDone&) {
  if (m_phase == Phase::listing)
    select();
  else if (m_phase == Phase::running && m_link.session().in_flight() == 0)
    leave();
}

void Orchestrator::on(const protocol::ServerError& error) {
  m_observer.on_note("server: " + printable_line(error.text));
}

void Orchestrator::on(const protocol::ForeignOutput& foreign) {
  const auto shown = protocol::as_text(foreign.bytes).substr(0, foreign_shown);
  m_observer.on_note("the server's stream holds " + counted(foreign.bytes.size(), "byte") +
                     " that are no packet: " + printable_line(shown));
}

void Orchestrator::on(const protocol::PeerFault& fault) {
  if (!fault.fatal) return m_observer.on_note("the server broke the protocol: " + fault.reason);
  m_fatal = fault.reason;
  m_link.end_within(m_plan.grace + end_patience);
}

void Orchestrator::select() {
  auto ids = m_plan.ids      ? std::move(*m_plan.ids)
             : m_plan.choose ? m_plan.choose(m_end.listed)
                             : std::vector<std::string>();
  m_observer.on_selected(ids);
  if (ids.empty()) return leave();
  const bool all = !m_plan.ids && ids.size() == m_end.listed.size();
  run(std::move(ids), all);
}

void Orchestrator::run(std::vector<std::string> ids, bool all) {
  m_phase = Phase::running;
  m_model = std::make_unique<RunModel>(std::move(ids));
  if (all) {
    m_link.session().run(std::nullopt);
    return;
  }
  for (const auto command : in_commands(m_model->asked_for())) m_link.session().run(command);
}

void Orchestrator::leave() {
  m_phase = Phase::leaving;
  m_link.session().goodbye();
  m_link.flush();
  m_link.end_within(m_plan.grace + end_patience);
}

void Orchestrator::interrupt() {
  if (m_end.outcome.interrupted) return m_link.kill();
  m_end.outcome.interrupted = true;
  if (m_phase == Phase::leaving) return;
  m_observer.on_note("interrupted: waiting for the server to end (once more kills it)");
  leave();
}

void Orchestrator::wait_for_signal() {
  m_signals.async_wait([this](ErrorCode error, int) {
    if (error || m_over) return;
    interrupt();
    wait_for_signal();
  });
}

void Orchestrator::tick() {
  m_ticker.expires_after(tick_every);
  m_ticker.async_wait([this](ErrorCode error) {
    if (error || m_over) return;
    m_link.tick();
    m_observer.on_tick(snapshot());
    tick();
  });
}

Snapshot Orchestrator::snapshot() const {
  const auto now = std::chrono::steady_clock::now();
  return {m_model->counts(), m_model->running(), now - m_started, now, activity()};
}

std::string Orchestrator::activity() const {
  switch (m_phase) {
    case Phase::starting:
      return "starting the server";
    case Phase::listing:
      return "loading the programs and listing their tests";
    case Phase::leaving:
      return m_end.outcome.interrupted ? "interrupted: waiting for the server to end"
                                       : "ending the server";
    case Phase::running:
      break;
  }
  return {};
}

// The run is over, whatever way the server took out of it.
void Orchestrator::on_end(int wait_status) {
  m_over = true;  // what is in the loop's queue already can no longer be cancelled
  m_ticker.cancel();
  m_signals.cancel();
  const auto how = (m_fatal.empty() ? "" : m_fatal + "; ") + "it " + describe_end(wait_status);
  if (!m_said_hello && !m_end.outcome.interrupted) {
    m_end.refused = how;
  } else if (m_phase != Phase::leaving) {
    m_end.outcome.lost = how;
    report_lost_tests();
  } else if (wait_status != 0 && !m_end.outcome.interrupted) {
    m_observer.on_note("after Goodbye, the server " + describe_end(wait_status));
  }
  m_end.outcome.counts = m_model->counts();
  m_end.outcome.missing = m_model->missing();
  m_end.outcome.elapsed = std::chrono::steady_clock::now() - m_started;
}

void Orchestrator::report_lost_tests() {
  for (const auto& test : m_model->running()) {
    TestReport report;
    report.id = test.id;
    report.attachments = m_model->attachments_of(test.id);
    m_observer.on_lost_test(report);
  }
}

}  // namespace

Expected<SessionEnd> run_session(const std::vector<std::string>& server_command, SessionPlan plan,
                                 Observer& observer) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto server = start_server(server_command);
  if (!server) return tl::unexpected(server.error());
  asio::io_context io(1);
  Orchestrator orchestrator(io, *server, std::move(plan), observer);
  io.run();
  return orchestrator.take_end();
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
