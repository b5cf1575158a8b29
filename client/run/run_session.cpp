// What is given to servers, and when the run is over.
#include "client/run/run_session.hpp"

#include <algorithm>

#include "client/run/made_result.hpp"
#include "protocol/rpc_message.hpp"

namespace hearth::client {

using protocol::TestStatus;

RunSession::RunSession(asio::io_context& io, RunPlan plan, RunListener& listener)
    : m_io(io),
      m_plan(std::move(plan)),
      m_listener(listener),
      m_signals(io, SIGINT, SIGTERM, SIGHUP),
      m_ticker(io),
      m_keys(io, [this](char key) {
        if (key == 't') m_listener.on_asked(snapshot());
      }) {
  m_signals.add(SIGTSTP);
  m_signals.add(SIGUSR1);
  for (Worker worker = 0; worker < m_plan.servers.size(); ++worker)
    m_seats.emplace_back().slot = std::make_unique<ServerSlot>(io, worker, m_plan.servers[worker],
                                                               m_plan.patience, m_clock, *this);
}

Expected<void> RunSession::start() {
  for (auto& seat : m_seats) {
    if (auto started = seat.slot->start(); !started) return started;
  }
  wait_for_signal();
  tick();
  return {};
}

RunEnd RunSession::take_end() {
  return std::move(m_end);
}

void RunSession::choose() {
  m_phase = Phase::running;
  if (m_plan.choose) m_chosen = m_plan.choose(std::move(m_end.listed));
  m_chosen.tests.resize(m_chosen.ids.size());
  const auto reserved = leave_out_reserved();
  m_ledger.emplace(m_chosen.ids, m_plan.retries);
  if (m_plan.choose)
    m_listener.on_begin({&m_chosen.ids, m_chosen.all, m_seats.size(), wall_clock()});
  for (std::size_t i = 0; i < reserved; ++i) {
    const auto made = make_failure(
        protocol::rpc_test_id, "",
        "No server can be asked for a test of this id, which is the protocol's own: the test needs "
        "another name\n",
        wall_clock());
    m_listener.on_packet(0, made.packet());
    m_ledger->book_stray(TestStatus::fail);
    tell(made.report({}));
  }
  if (m_chosen.ids.empty()) return leave();
  begin_round();
}

// How many of what was chosen is the protocol's own id (RPC-8.18).
std::size_t RunSession::leave_out_reserved() {
  std::vector<PlannedTest> tests;
  tests.reserve(m_chosen.tests.size());
  for (std::size_t i = 0; i < m_chosen.ids.size(); ++i)
    if (m_chosen.ids[i] != protocol::rpc_test_id) tests.push_back(m_chosen.tests[i]);
  m_chosen.tests = std::move(tests);
  return std::erase(m_chosen.ids, protocol::rpc_test_id);
}

void RunSession::begin_round() {
  if (m_round++ > 0) m_ledger->begin_round();
  ScheduleOptions options;
  options.order = m_chosen.order;
  if (m_plan.isolated) options.most_in_batch = 1;
  options.workers = m_seats.size();
  // Where there is nobody to share with: one Run, in which the server sees all that it will need.
  options.all_at_once = m_seats.size() == 1 && !m_plan.isolated;
  m_scheduler = std::make_unique<Scheduler>(m_chosen.tests, options);
  for (auto& seat : m_seats) {
    if (seat.slot->is_ready()) m_scheduler->worker_joined(seat.slot->worker());
    // A used-up server of --isolated, in whose place nothing was left to do.
    if (!seat.slot->is_up() && !seat.retired) start_again(seat);
  }
  give_out();
}

void RunSession::give_out() {
  while (const auto order = m_scheduler->next()) give(*order);
}

void RunSession::give(const Scheduler::Order& order) {
  auto& slot = *m_seats[order.worker].slot;
  std::vector<std::string> ids;
  ids.reserve(order.tasks.size());
  for (const auto task : order.tasks) ids.push_back(m_ledger->id_of(task));
  std::span<const Task> tasks(order.tasks);
  // One Run for one server: nothing follows.
  const bool only_run =
      m_plan.isolated || (m_seats.size() == 1 && m_plan.retries == 0 && m_plan.rounds == 1);
  const auto runs = slot.run(ids, m_plan.to_the_end && only_run);
  for (const auto& given : runs) {
    m_ledger->give(order.worker, given.nonce, tasks.first(given.ids));
    tasks = tasks.subspan(given.ids);
  }
  auto& seat = m_seats[order.worker];
  if (!only_run || runs.size() > 1) seat.owes_ends = m_plan.to_the_end;
  if (!seat.was_given) seat.first_given = m_clock.now();
  seat.was_given = true;
  if (m_plan.isolated) m_scheduler->worker_retires(order.worker);
}

bool RunSession::had_enough() const {
  const auto& counts = m_ledger->counts();
  return m_plan.max_failures != 0 && counts.failed + counts.unasked_failures >= m_plan.max_failures;
}

// What comes next, now that a test or a Run is over.
void RunSession::check_progress() {
  if (m_phase != Phase::running) return;
  if (had_enough()) {
    m_end.outcome.stopped_early =
        m_scheduler->unfinished() > 0 || (m_plan.rounds != 0 && m_round < m_plan.rounds);
    return leave();
  }
  if (m_scheduler->unfinished() > 0) return give_out();
  const bool waits = std::any_of(m_seats.begin(), m_seats.end(), [](const Seat& seat) {
    return seat.slot->is_ready() && seat.slot->in_flight() > 0;
  });
  if (waits) return;
  if (m_plan.rounds == 0 || m_round < m_plan.rounds) return begin_round();
  begin_ends();
}

void RunSession::begin_ends() {
  m_phase = Phase::ending;
  for (auto& seat : m_seats)
    if (seat.slot->is_ready() && std::exchange(seat.owes_ends, false))
      seat.end_nonce = seat.slot->run_ends();
  leave_if_ended();
}

void RunSession::leave_if_ended() {
  if (std::all_of(m_seats.begin(), m_seats.end(),
                  [](const Seat& seat) { return seat.end_nonce.empty(); }))
    leave();
}

}  // namespace hearth::client
