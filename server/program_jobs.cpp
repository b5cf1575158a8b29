// Program: its jobs on their way to a process, and from its end to their results.
#include <algorithm>

#include "protocol/rpc_packet.hpp"
#include "protocol/utf8.hpp"
#include "server/program.hpp"
#include "worker.pb.h"

namespace hearth::server {
using protocol::TestStatus;
namespace {

protocol::Timestamp at(std::uint64_t nanoseconds) {
  return protocol::Timestamp(std::chrono::nanoseconds(nanoseconds));
}

std::vector<LeftProcess> left_in(const worker::Ended& ended) {
  std::vector<LeftProcess> left;
  for (const worker::Leftover& one : ended.leftover())
    left.push_back({one.pid(), protocol::as_utf8(one.command())});
  return left;
}

}  // namespace

void Program::expect(std::uint32_t test) {
  if (has_process_of_suite(test)) ++m_suites[m_catalog[test].suite].expected;
}

bool Program::has_process_of_suite(std::uint32_t test) const {
  return m_catalog[test].suite_process &&
         (!is_shared() || m_catalog[test].kind == TestKind::suite_tear_down);
}

bool Program::takes(std::uint32_t test) const {
  if (!can_dispatch()) return m_waiting.empty() && m_suspects.empty();
  if (!m_trouble.empty() || !needs_suite(test)) return true;
  const auto suite = m_suites.find(m_catalog[test].suite);
  return suite == m_suites.end() || suite->second.waiting.empty();
}

// A program that has exited starts again with the next test.
void Program::run(Job job) {
  switch (m_catalog[job.test].kind) {
    case TestKind::load:
      return end_check(job, {});
    case TestKind::exit:
      m_exits.push_back(std::move(job));
      return;
    default:
      m_waiting.push_back(std::move(job));
  }
  if (!m_zygote && !m_runs_single && m_trouble.empty() && !m_shutting_down) start();
  dispatch_waiting();
}

// Not recursive: what is called from here calls it again when a job is over at once.
void Program::dispatch_waiting() {
  if (std::exchange(m_dispatching, true)) return;
  while (auto job = next_job()) dispatch(std::move(*job));
  m_dispatching = false;
}

bool Program::can_dispatch() const {
  if (m_suspect_runs) return false;
  return !m_trouble.empty() || m_runs_single ||
         (m_zygote && m_zygote->state == Zygote::State::ready && !m_zygote->finishing);
}

// Nothing goes on that could take the warm process along.
bool Program::is_quiet() const {
  return m_running.empty() &&
         std::all_of(m_suites.begin(), m_suites.end(),
                     [](const auto& entry) {
                       const Suite& suite = entry.second;
                       return !suite.zygote ||
                              (suite.zygote->was_ready && !suite.zygote->finishing);
                     }) &&
         std::all_of(m_shared.begin(), m_shared.end(), [](const auto& entry) {
           return entry.second.zygote->state == Zygote::State::ready;
         });
}

std::optional<Job> Program::next_job() {
  std::deque<Job>& queue = m_suspects.empty() ? m_waiting : m_suspects;
  if (queue.empty() || !can_dispatch()) return std::nullopt;
  if (queue.front().suspect) {
    if (!is_quiet()) return std::nullopt;
    m_suspect_runs = true;
  }
  Job job = std::move(queue.front());
  queue.pop_front();
  return job;
}

// Back to where they came from, in their order, before all others.
void Program::requeue(std::deque<Job>& jobs) {
  for (; !jobs.empty(); jobs.pop_back()) {
    if (jobs.back().suspect) m_suspect_runs = false;
    (jobs.back().suspect ? m_suspects : m_waiting).push_front(std::move(jobs.back()));
  }
}

void Program::dispatch(Job job) {
  if (!m_trouble.empty()) {
    if (m_skipped) return end_unstarted(job, TestStatus::skip, m_trouble);
    Evidence evidence;
    evidence.trouble = m_trouble;
    end_job(std::move(job), evidence);
  } else if (m_catalog[job.test].kind == TestKind::suite_tear_down && m_runs_single) {
    end_unstarted(job, TestStatus::skip,
                  "The program is started anew for each test, whose result tells how the tear-down "
                  "of its suite went.");
  } else if (needs_suite(job.test)) {
    run_in_suite(std::move(job));
  } else if (is_shared()) {
    run_shared(std::move(job));
  } else if (m_runs_single) {
    run_single(std::move(job));
  } else {
    launch(std::move(job), *m_zygote);
  }
}

// The execution's server side; 0 where it could not be made: then the job is over.
std::uint64_t Program::prepare(Job job, Zygote* zygote) {
  if (!job.execution) {
    auto pipes = make_execution_pipes();
    if (!pipes) {
      end_unstarted(job, TestStatus::fail,
                    "The test could not be started: " + pipes.error().text());
      return 0;
    }
    job.execution =
        std::make_unique<Execution>(job.target, std::move(*pipes), m_options.output_limit);
  }
  const std::uint64_t id = next_execution();
  m_running.emplace(id, Running{std::move(job), zygote, 0, work_time(), {}, {}, false});
  return id;
}

void Program::launch(Job job, Zygote& zygote) {
  worker::ToZygote message;
  worker::RunTest& run = *message.mutable_run_test();
  run.set_test(job.test);
  run.set_name(std::string(m_catalog.name_of(job.test)));
  const std::uint64_t id = prepare(std::move(job), &zygote);
  if (id == 0) return;
  run.set_execution(id);
  zygote.channel.send(message, m_running.at(id).job.execution->take_theirs());
}

void Program::run_single(Job job) {
  const std::uint64_t id = prepare(std::move(job), nullptr);
  if (id == 0) return;
  auto spawned = spawn(m_spec, {m_options.cwd, m_options.environment, counts_of_next()}, id);
  if (!spawned) {
    Evidence evidence;
    evidence.trouble = "The test could not be started: " + spawned.error().text();
    return end_execution(id, evidence);
  }
  m_orphans.started(spawned->pid);
  auto zygote =
      make_zygote(std::move(spawned->channel), std::move(spawned->out), std::move(spawned->err));
  zygote->pid = spawned->pid;
  zygote->execution = id;
  zygote->mark = id;
  m_running.at(id).zygote = zygote.get();
  m_running.at(id).pid = zygote->pid;
  m_singles.emplace(id, std::move(zygote));
}

void Program::on_started(const Zygote& zygote, const worker::Started& started) {
  if (const auto running = m_running.find(started.execution());
      running != m_running.end() && running->second.zygote == &zygote) {
    running->second.pid = static_cast<pid_t>(started.pid());
    running->second.job.execution->begin(at(started.when()), work_time());
  } else if (Suite* const suite = suite_of(started.execution())) {
    suite->zygote->pid = static_cast<pid_t>(started.pid());
  } else if (Shared* const shared = shared_of(started.execution())) {
    shared->zygote->pid = static_cast<pid_t>(started.pid());
  }
  hand_on_unclaimed();
}

void Program::on_ended(const Zygote& zygote, const worker::Ended& ended) {
  if (m_zygote) m_zygote->output.read_now();
  hand_on_unclaimed();
  const auto running = m_running.find(ended.execution());
  if (running == m_running.end()) {
    if (Suite* const suite = suite_of(ended.execution())) {
      suite->zygote->channel.read_now();
      suite_ended(*suite, ended.wait_status());
    } else if (Shared* const shared = shared_of(ended.execution())) {
      shared->zygote->channel.read_now();
      shared_ended(*shared, ended.wait_status(), left_in(ended));
    }
    return;
  }
  if (running->second.zygote != &zygote) return;
  m_losses = 0;
  if (Shared* const shared = shared_of(&zygote))
    return shared_test_ended(*shared, ended.execution());
  Evidence evidence;
  evidence.words = zygote.words;
  evidence.wait_status = ended.wait_status();
  evidence.left = left_in(ended);
  end_execution(ended.execution(), evidence);
}

void Program::on_refused(const worker::Refused& refused) {
  if (Suite* const suite = suite_of(refused.execution())) {
    suite->zygote->killed_because = protocol::as_utf8(refused.why());
    return suite_ended(*suite, 0);
  }
  if (Shared* const shared = shared_of(refused.execution())) {
    shared->zygote->killed_because = protocol::as_utf8(refused.why());
    return shared_ended(*shared, 0, {});
  }
  const auto running = m_running.find(refused.execution());
  if (running == m_running.end()) return;
  if (Shared* const shared =
          shared_of(running->second.zygote)) {  // which waits on, and has said so before
    shared->zygote->state = Zygote::State::ready;
    shared->parked = true;
    shared->zygote->output.take_back();
  }
  Evidence evidence;
  evidence.trouble = "The test could not be started: " + protocol::as_utf8(refused.why()) + '.';
  end_execution(refused.execution(), evidence);
}

void Program::end_execution(std::uint64_t id, const Evidence& evidence) {
  auto ended = m_running.extract(id);
  if (!ended.empty()) end_job(std::move(ended.mapped().job), evidence);
}

void Program::end_job(Job job, const Evidence& evidence) {
  if (!job.execution) return end_unstarted(job, TestStatus::fail, evidence.trouble);
  Evidence all = evidence;
  all.leaks_fail = m_options.leaks_fail;
  job.execution->end(all, std::chrono::system_clock::now());
  over(job);
}

// The status of a test that never began.
void Program::end_unstarted(const Job& job, TestStatus status, const std::string& text) {
  const auto& [session, ordinal, id] = job.target;
  session->attach(ordinal, id, status == TestStatus::skip ? "reason" : "traceback",
                  protocol::text_mime_type, protocol::as_bytes(text), true);
  session->finished(ordinal, id, status, std::chrono::system_clock::now());
  over(job);
}

void Program::over(const Job& job) {
  if (job.suspect) m_suspect_runs = false;
  if (has_process_of_suite(job.test)) {
    ended_in_suite(job);
  } else if (is_shared()) {
    if (!job.next) finish_shared(job.run);
  }
  m_events.job_over(*this, job);
  dispatch_waiting();
}

}  // namespace hearth::server
