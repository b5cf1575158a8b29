// Program: the processes of its suites, from their set-up to their tear-down.
#include <algorithm>

#include "process/wait_status.hpp"
#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"
#include "server/program.hpp"
#include "worker.pb.h"

namespace hearth::server {
using protocol::TestStatus;

Program::Suite* Program::suite_of(const Zygote& zygote) {
  return suite_of(zygote.execution);
}

Program::Suite* Program::suite_of(std::uint64_t execution) {
  for (auto& [index, suite] : m_suites) {
    if (suite.zygote && execution != 0 && suite.zygote->execution == execution) return &suite;
  }
  return nullptr;
}

bool Program::has_suite_up() const {
  return std::any_of(m_suites.begin(), m_suites.end(), [](const auto& entry) {
    return entry.second.zygote && !entry.second.zygote->finishing;
  });
}

bool Program::has_suite_ending() const {
  return std::any_of(m_suites.begin(), m_suites.end(), [](const auto& entry) {
    return entry.second.zygote && entry.second.zygote->finishing;
  });
}

bool Program::is_suite_up(std::uint32_t test) const {
  if (!needs_suite(test)) return false;
  const auto suite = m_suites.find(m_catalog[test].suite);
  return suite != m_suites.end() && suite->second.zygote && !suite->second.zygote->finishing;
}

void Program::run_in_suite(Job job) {
  Suite& suite = m_suites[m_catalog[job.test].suite];
  if (!suite.trouble.empty()) {
    if (suite.skipped) return end_unstarted(job, TestStatus::skip, suite.trouble);
    Evidence evidence;
    evidence.trouble = suite.trouble;
    end_job(std::move(job), evidence);
  } else if (suite.zygote && suite.zygote->state == Zygote::State::ready &&
             !suite.zygote->finishing) {
    if (m_catalog[job.test].kind == TestKind::test) return launch(std::move(job), *suite.zygote);
    suite.checks.push_back(std::move(job));
    ended_in_suite(suite.checks.back());
  } else {
    const std::uint32_t test = job.test;
    suite.waiting.push_back(std::move(job));
    if (!suite.zygote) start_suite(suite, test);
  }
}

void Program::start_suite(Suite& suite, std::uint32_t test) {
  auto pipes = make_execution_pipes();
  if (!pipes) {
    suite.trouble = "The suite's process could not be started: " + pipes.error().text();
    return requeue(suite.waiting);
  }
  suite.zygote = make_zygote(std::move(pipes->report.ours), std::move(pipes->out.ours),
                             std::move(pipes->err.ours));
  suite.zygote->execution = next_execution();
  suite.zygote->framework = m_zygote->framework;
  suite.zygote->words = m_zygote->words;
  worker::ToZygote message;
  worker::StartSuite& start = *message.mutable_start_suite();
  start.set_execution(suite.zygote->execution);
  const std::uint32_t known = m_catalog.first_in(m_catalog[test].suite).value_or(test);
  start.set_test(known);
  start.set_name(std::string(m_catalog.name_of(known)));
  std::vector<UniqueFd> theirs;
  theirs.push_back(std::move(pipes->report.theirs));
  theirs.push_back(std::move(pipes->out.theirs));
  theirs.push_back(std::move(pipes->err.theirs));
  m_zygote->channel.send(message, std::move(theirs));
}

void Program::on_suite_ready(Suite& suite, const worker::Ready& ready) {
  if (ready.mode() == worker::Ready::EXEC) {
    suite.trouble =
        "The suite's set-up started threads, so that its tests cannot be forked from it: " +
        protocol::as_utf8(ready.why()) + '.';
  } else if (!ready.set_up_failure().empty()) {
    suite.skipped = ready.set_up_skipped();
    suite.trouble = (suite.skipped ? "" : "The set-up of the test's suite failed:\n") +
                    protocol::as_utf8(ready.set_up_failure());
  }
  requeue(suite.waiting);
  dispatch_waiting();
  m_events.takes_more();
}

void Program::suite_ended(Suite& suite, int wait_status) {
  Zygote& ended = *suite.zygote;
  std::string how = process::describe_wait_status(wait_status);
  if (!ended.killed_because.empty()) how = "was killed: " + ended.killed_because;
  bury(std::move(suite.zygote));
  if (ended.finishing) {
    std::string failure = ended.closing_failure;
    if (failure.empty() && wait_status != 0)
      failure = "The suite's process " + how + ".\n" + ended.output.text();
    const bool asked = std::any_of(suite.checks.begin(), suite.checks.end(),
                                   [&](const Job& job) { return job.run == suite.last_run; });
    if (!failure.empty() && !asked)
      report_tear_down(suite.last_target, m_catalog[suite.last_test].suite, failure);
    end_suite_checks(suite,
                     failure.empty() ? failure : "The suite's tear-down failed:\n" + failure);
    m_events.hold(suite.last_run, false);
  } else if (!ended.was_ready) {
    suite.trouble = "The set-up of the test's suite did not end: its process " + how + ".\n" +
                    ended.output.text();
  } else {
    end_suite_checks(suite, "The process of the suite " + how + " before its tear-down.\n");
    lose_executions(ended, "The process of the test's suite " + how);
  }
  requeue(suite.waiting);
  dispatch_waiting();
  m_events.takes_more();
}

void Program::ended_in_suite(const Job& job) {
  Suite& suite = m_suites[m_catalog[job.test].suite];
  if (!suite.zygote || !suite.zygote->finishing) {  // else another's Run waits for the tear-down
    suite.last_run = job.run;
    suite.last_target = job.target;
    suite.last_test = job.test;
  }
  if (--suite.expected == 0) close_suite(suite);
}

// Nobody expects an execution in the suite any more.
void Program::close_suite(Suite& suite) {
  suite.trouble.clear();
  suite.skipped = false;
  if (!suite.zygote || suite.zygote->finishing) return;
  m_events.hold(suite.last_run, true);
  if (!suite.zygote->was_ready) kill_suite(suite);  // still setting up: its clients have gone
  suite.zygote->since = work_time();
  finish(*suite.zygote, false);
}

void Program::end_suite_checks(Suite& suite, const std::string& failure) {
  for (const Job& job : std::exchange(suite.checks, {})) end_check(job, failure);
}

// `target`: that of the suite's last test.
void Program::report_tear_down(const ResultTarget& target, std::uint32_t suite,
                               const std::string& failure) {
  const std::string id = m_catalog.tear_down_id(suite);
  const auto& [session, ordinal, test_id] = target;
  const auto now = std::chrono::system_clock::now();
  session->started(ordinal, id, now);
  session->attach(ordinal, id, "traceback", protocol::text_mime_type,
                  protocol::as_bytes("The suite's tear-down failed:\n" + failure), true);
  session->finished(ordinal, id, TestStatus::fail, now);
}

// The program's warm process is gone, and its suites' with it. One that was setting up is as
// suspect as a test.
void Program::reset_suites() {
  const std::string cause = "The program's warm process ended, and the suite's with it,";
  for (auto& [index, suite] : m_suites) {
    if (!suite.zygote) continue;
    Zygote& zygote = *suite.zygote;
    zygote.channel.read_now();  // what has ended has ended
    bury(std::move(suite.zygote));
    if (zygote.finishing) m_events.hold(suite.last_run, false);
    for (Job& job : std::exchange(suite.checks, {})) {
      ++suite.expected;
      suite.waiting.push_back(std::move(job));
    }
    lose_executions(zygote, cause);
    if (zygote.was_ready) {
      requeue(suite.waiting);
      continue;
    }
    for (Job& job : std::exchange(suite.waiting, {})) {
      if (job.suspect)
        suite.trouble =
            "The program's warm process ended while the test's suite was set up, alone.";
      lose(std::move(job), cause);
    }
  }
}

void Program::finish(Zygote& zygote, bool abandon) {
  zygote.finishing = true;
  worker::ToZygote message;
  message.mutable_finish()->set_abandon(abandon);
  zygote.channel.send(message);
}

}  // namespace hearth::server
