// Program: its end, as a result. The warm process is told to finish when nothing else goes on in
// it: the framework tears down, main goes on after its tests, exit handlers run, and the exit
// status says what the program by itself would have said of all but its tests. It is started again
// for the next test, and at once in a server that stays.
#include "process/wait_status.hpp"
#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"
#include "server/lost_coverage.hpp"
#include "server/program.hpp"

namespace hearth::server {
using protocol::TestStatus;

void Program::end_check(const Job& job, const std::string& failure) {
  const auto& [session, ordinal, id] = job.target;
  if (!job.silent || !failure.empty()) {
    const auto now = std::chrono::system_clock::now();
    session->started(ordinal, id, now);
    if (!failure.empty()) {
      session->attach(ordinal, id, "traceback", protocol::text_mime_type,
                      protocol::as_bytes(failure), true);
    }
    session->finished(ordinal, id, failure.empty() ? TestStatus::success : TestStatus::fail, now);
  }
  m_events.job_over(*this, job);
}

void Program::end_exits(const std::string& failure) {
  for (const Job& job : std::exchange(m_exits, {})) end_check(job, failure);
}

// A program whose set-up failed has said so in the result of each of its tests.
void Program::exit_when_quiet() {
  if (m_exits.empty() || m_exiting) return;
  if (!m_trouble.empty() && !m_skipped) {
    for (const Job& job : std::exchange(m_exits, {})) end_check(job, job.silent ? "" : m_trouble);
    return;
  }
  if (!m_waiting.empty() || !m_suspects.empty() || !m_shared.empty() || !is_quiet()) return;
  if (!m_zygote) return start();
  if (m_zygote->state != Zygote::State::ready || m_zygote->finishing) return;
  if (close_idle_suites()) return;
  m_exiting = true;
  m_zygote->since = work_time();
  finish(*m_zygote, false);
}

// Suites that are kept for Runs which wait for the end: those set them up again. True: one is there
// still, and its end is waited for. Its tear-down is reported to who asked for the program's end.
bool Program::close_idle_suites() {
  bool any = false;
  for (auto& [index, suite] : m_suites) {
    if (!suite.zygote) continue;
    any = true;
    if (suite.zygote->finishing) continue;
    const Job& job = m_exits.front();
    suite.last_run = job.run;
    suite.last_target = job.target;
    suite.last_test = m_catalog.first_in(index).value_or(job.test);
    close_suite(suite);
  }
  return any;
}

// Its end takes as long as a test may.
void Program::check_exit(SteadyTime now) {
  const auto limit = m_options.timeout;
  if (limit.count() == 0 || !m_zygote->killed_because.empty() || now - m_zygote->since < limit)
    return;
  kill_zygote(*m_zygote, "it ran into the time limit of " + describe_time(limit));
}

void Program::exited(int wait_status) {
  m_exiting = false;
  Zygote& ended = *m_zygote;
  std::string failure;
  if (!ended.killed_because.empty()) {
    failure = "The program's end did not come: it was killed, as " + ended.killed_because + ".\n";
  } else if (!ended.closing_failure.empty()) {
    failure = "The program's tear-down failed:\n" + ended.closing_failure;
  } else if (wait_status != 0) {
    failure = "After its tests the program " + process::describe_wait_status(wait_status) +
              ", in its tear-down, in what main does next, or in an exit handler.\n";
  } else if (!lost_coverage(ended.output.text()).empty()) {
    failure = "The program's coverage could not be written:\n";
  }
  if (!failure.empty()) failure += ended.output.text();
  bury(std::move(m_zygote));
  end_exits(failure);
  const bool stays = m_options.listen && !m_runs_single && !m_identity.changed();
  if ((!m_waiting.empty() || !m_suspects.empty() || stays) && !m_shutting_down && !m_runs_single)
    start();
  dispatch_waiting();
  m_events.takes_more();
}

}  // namespace hearth::server
