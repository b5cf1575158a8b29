// Servers that end, and the end of the run.
#include "client/run/run_session.hpp"

#include <algorithm>

#include "client/run/made_result.hpp"
#include "client/text.hpp"

namespace hearth::client {

using protocol::TestStatus;

namespace {

// Of one worker's servers in a row, without a test that ended in between.
constexpr unsigned most_losses = 3;

}  // namespace

void RunSession::on_gone(ServerSlot& slot, const ServerSlot::End& end) {
  m_end.outcome.cpu = m_end.outcome.cpu.value_or(nanoseconds{}) + end.cpu;
  auto& seat = m_seats[slot.worker()];
  if (m_phase == Phase::leaving) {
    if (end.wanted && end.wait_status != 0 && !m_end.outcome.interrupted)
      m_listener.on_note(
          numbered(slot, "after Goodbye, the server " + describe_end(end.wait_status)));
    return end_if_all_are_gone();
  }
  if (end.wanted && m_plan.isolated) {
    m_ledger->lost(slot.worker());
    (void)m_scheduler->worker_lost(slot.worker());
    return start_again(seat);
  }
  server_lost(slot, end);
}

void RunSession::server_lost(ServerSlot& slot, const ServerSlot::End& end) {
  auto& seat = m_seats[slot.worker()];
  ++seat.losses;
  seat.owes_ends = false;
  if (m_phase == Phase::ending) {
    seat.retired = true;
    if (!std::exchange(seat.end_nonce, {}).empty())
      m_end.outcome.lost = "its tests were over, but not its programs: " + end.how;
    return leave_if_ended();
  }
  if (&slot == m_lister) {
    m_lister = nullptr;
    m_lists.clear();
  }
  if (m_phase == Phase::running) {
    if (m_ledger->runs(slot.worker()) > 0 && m_ledger->outstanding(slot.worker()) == 0)
      m_end.outcome.doubts.push_back(
          "every test of a Run has its result, but the server never said that the Run was over "
          "(Done), so that its programs may not have ended well: " +
          end.how);
    m_ledger->lost(slot.worker());
    const auto over = m_scheduler->worker_lost(slot.worker());
    // A server that is lost before a test has started may be lost whatever it is given.
    for (const auto task : over)
      if (book_killer(slot, task, end.how)) seat.losses = 0;
  }
  // A server that does not begin would not begin the next time.
  seat.retired = !end.said_hello || seat.losses >= most_losses;
  const bool nothing_left = m_phase == Phase::running && m_scheduler->unfinished() == 0 &&
                            m_plan.rounds != 0 && m_round >= m_plan.rounds;
  if (nothing_left) {
    m_listener.on_note(numbered(slot, "the server was lost: " + end.how));
    return check_progress();
  }
  if (seat.retired) return give_up_unless_one_is_left(end.how, end);
  m_listener.on_note(numbered(slot, "the server was lost: " + end.how + "; starting it again"));
  start_again(seat);
  check_progress();
}

void RunSession::start_again(Seat& seat) {
  if (m_scheduler && m_scheduler->unassigned() == 0 && m_phase == Phase::running && m_plan.isolated)
    return;  // nothing is left for it
  if (const auto started = seat.slot->start(); !started) {
    seat.retired = true;
    ServerSlot::End none;
    none.said_hello = m_said_hello;
    give_up_unless_one_is_left(started.error().text(), none);
  }
}

void RunSession::give_up_unless_one_is_left(const std::string& how, const ServerSlot::End& end) {
  const bool one_is_left =
      std::any_of(m_seats.begin(), m_seats.end(), [](const Seat& seat) { return !seat.retired; });
  if (one_is_left) {
    m_listener.on_note("a server was given up: " + how);
    // Its tests go to the others; the list, too.
    for (auto& seat : m_seats)
      if (m_phase == Phase::listing && m_lister == nullptr && seat.slot->is_ready())
        list_with(*seat.slot);
    return check_progress();
  }
  if (!m_said_hello) {
    m_end.refused = how;
    if (!end.printed.empty()) *m_end.refused += "; it printed:\n" + indented(end.printed, "    ");
  } else {
    m_end.outcome.lost = how;
  }
  leave();
}

// It has lost its server twice, the second time alone. True: it had started.
bool RunSession::book_killer(ServerSlot& slot, Task task, const std::string& how) {
  const auto& id = m_ledger->id_of(task);
  (void)m_ledger->book(task, TestStatus::fail);
  const auto before = slot.results().take(id);
  const auto made = make_failure(
      id, before ? before->route_code : "",
      "The server that ran this test was lost, and so was the next one that ran it, with no other "
      "test: " +
          how + "\n",
      wall_clock());
  m_listener.on_packet(slot.worker(), made.packet());
  auto report = made.report(before ? before->attachments : std::vector<Attachment>());
  if (before) report.started_at = before->started_at;
  report.worker = slot.worker();
  report.expected = m_chosen.tests[m_ledger->test_of(task)].expected;
  tell(report);
  return before.has_value();
}

void RunSession::leave() {
  if (m_phase == Phase::leaving) return;
  m_phase = Phase::leaving;
  if (m_scheduler) m_scheduler->stop();
  for (auto& seat : m_seats) seat.slot->goodbye();
  end_if_all_are_gone();
}

void RunSession::end_if_all_are_gone() {
  const bool up = std::any_of(m_seats.begin(), m_seats.end(),
                              [](const Seat& seat) { return seat.slot->is_up(); });
  if (!up && !m_over) end();
}

void RunSession::end() {
  m_over = true;
  m_ticker.cancel();
  m_signals.cancel();
  m_keys.stop();
  if (m_ledger) {
    report_lost_tests();
    for (auto& seat : m_seats) note_unbooked_attachments(*seat.slot, std::nullopt);
  }
  auto& outcome = m_end.outcome;
  if (m_ledger) outcome.counts = m_ledger->counts();
  outcome.elapsed = m_clock.now() - m_started;
  m_listener.on_end(outcome);
}

void RunSession::report_lost_tests() {
  auto& outcome = m_end.outcome;
  for (const auto task : m_ledger->open()) {
    const auto& id = m_ledger->id_of(task);
    outcome.missing.push_back(id);
    if (outcome.interrupted || outcome.stopped_early) continue;
    m_ledger->book_lost(task);
    std::optional<ResultAssembler::Unfinished> before;
    for (auto& seat : m_seats)
      if (!before) before = seat.slot->results().take(id);
    const auto made = make_failure(
        id, before ? before->route_code : "",
        "No result: " + outcome.lost.value_or("the server left it out") + "\n", wall_clock());
    m_listener.on_packet(0, made.packet());
    auto report = made.report(before ? before->attachments : std::vector<Attachment>());
    report.lost = true;
    tell(report);
  }
}

}  // namespace hearth::client
