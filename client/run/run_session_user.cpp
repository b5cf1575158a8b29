// What people do, and see: signals, keys, the state of things ten times a second.
#include "client/run/run_session.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "client/text.hpp"

namespace hearth::client {

namespace {

constexpr auto tick_every = std::chrono::milliseconds(100);

}  // namespace

void RunSession::wait_for_signal() {
  m_signals.async_wait([this](ErrorCode error, int signal) {
    if (error || m_over) return;
    on_signal(signal);
    if (!m_over) wait_for_signal();
  });
}

void RunSession::on_signal(int signal) {
  if (signal == SIGUSR1)
    m_listener.on_asked(snapshot());
  else if (signal == SIGTSTP)
    suspend();
  else
    interrupt();
}

void RunSession::interrupt() {
  if (m_end.outcome.interrupted) {
    for (auto& seat : m_seats) seat.slot->kill();
    return;
  }
  m_end.outcome.interrupted = true;
  if (m_phase != Phase::leaving) {
    m_listener.on_note("interrupted: waiting for the server to end (once more kills it)");
    leave();
  }
  for (auto& seat : m_seats) seat.slot->hurry();
}

// The servers are suspended with us: their tests and the tests' clocks stand still.
void RunSession::suspend() {
  m_listener.on_suspend();
  m_keys.suspend();
  for (auto& seat : m_seats) seat.slot->suspend();
  const auto before = std::chrono::steady_clock::now();
  ::kill(getpid(), SIGSTOP);  // returns when we are continued
  m_clock.add_suspended(std::chrono::steady_clock::now() - before);
  for (auto& seat : m_seats) seat.slot->resume();
  m_keys.resume();
  m_listener.on_resume();
}

void RunSession::tick() {
  m_ticker.expires_after(tick_every);
  m_ticker.async_wait([this](ErrorCode error) {
    if (error || m_over) return;
    for (auto& seat : m_seats) {
      seat.slot->tick();
      watch_answers(seat);
    }
    m_listener.on_tick(snapshot());
    tick();
  });
}

// Answers that do not go on and do not end, of a server that is there and answers other questions
// (RPC-11.9). While a test runs, only damage makes that a fault: it may take as long as it likes.
void RunSession::watch_answers(Seat& seat) {
  auto& slot = *seat.slot;
  if (!slot.is_ready() || slot.is_given_up() || slot.commands() == 0) return;
  const auto& patience = m_plan.patience;
  const nanoseconds quiet = m_clock.now() - slot.last_answer();
  if (m_phase == Phase::listing) {
    if (!m_list_damage.empty() && quiet >= patience.quiet) return list_again(slot);
    if (quiet >= patience.done)
      slot.give_up("its list of tests did not go on for " + duration_text(quiet) +
                   ", and is not complete (no Done)");
    return;
  }
  const bool runs = !slot.results().running().empty();
  const bool damaged = !slot.doubt().empty();
  if (runs && !damaged) return;
  const auto limit = damaged && !runs ? patience.after_damage : patience.done;
  const bool has_all = m_phase == Phase::ending || m_ledger->outstanding(slot.worker()) == 0;
  if (quiet < patience.quiet) {
    seat.wait_told = false;
  } else if (has_all && !std::exchange(seat.wait_told, true)) {
    m_listener.on_note(numbered(
        slot, "every test has its result, but the server has not said that the Run is over (Done)" +
                  (damaged ? ", and " + slot.doubt() + " came instead" : std::string()) +
                  "; it is given up after " + duration_text(limit)));
  }
  if (quiet < limit) return;
  slot.give_up("nothing of its Run came for " + duration_text(quiet) +
               ", and the Run was not over" +
               (damaged ? ": what came last was " + slot.doubt() : std::string(" (no Done)")));
}

Snapshot RunSession::snapshot() const {
  Snapshot shot;
  shot.now = m_clock.now();
  shot.elapsed = shot.now - m_started;
  shot.activity = activity();
  if (!m_ledger) return shot;
  shot.counts = m_ledger->counts();
  if (m_scheduler && m_phase == Phase::running) shot.remaining = m_scheduler->remaining();
  for (const auto& seat : m_seats) {
    for (auto test : seat.slot->results().running()) {
      test.worker = seat.slot->worker();
      if (const auto task = m_ledger->running(test.worker, test.id))
        test.expected = m_chosen.tests[m_ledger->test_of(*task)].expected;
      shot.running.push_back(test);
    }
  }
  std::stable_sort(shot.running.begin(), shot.running.end(),
                   [](const RunningTest& a, const RunningTest& b) { return a.since < b.since; });
  return shot;
}

std::string RunSession::activity() const {
  switch (m_phase) {
    case Phase::starting:
      return m_seats.size() == 1 ? "starting the server" : "starting the servers";
    case Phase::listing:
      return "loading the programs and listing their tests";
    case Phase::ending:
      return "waiting for the programs to end";
    case Phase::leaving:
      return m_end.outcome.interrupted ? "interrupted: waiting for the server to end"
                                       : "ending the server";
    case Phase::running:
      break;
  }
  return {};
}

}  // namespace hearth::client
