// What people do, and see: signals, keys, the state of things ten times a second.
#include "client/run/run_session.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>

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
  if (m_phase == Phase::leaving) return;
  m_listener.on_note("interrupted: waiting for the server to end (once more kills it)");
  leave();
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
    for (auto& seat : m_seats) seat.slot->tick();
    m_listener.on_tick(snapshot());
    tick();
  });
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
