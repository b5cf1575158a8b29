// Program: what becomes of a Run's tests whose client has gone.
#include <signal.h>

#include "server/program.hpp"
#include "server/run.hpp"

namespace hearth::server {
namespace {

constexpr char gone[] = "its client went away";

}  // namespace

void Program::expect_no_more(const Job& job) {
  if (has_process_of_suite(job.test)) ended_in_suite(job);
}

void Program::cancel(const Run& run) {
  drop(m_waiting, run);
  drop(m_suspects, run);
  for (auto& [index, suite] : m_suites) drop(suite.waiting, run);
  for (auto& [index, suite] : m_suites) drop_checks(suite.checks, run);
  drop_checks(m_exits, run);
  for (auto& [id, running] : m_running) {
    if (running.job.run != &run) continue;
    running.stacks.reset();
    running.terminated = work_time();
    running.killed = true;
    signal_execution(id, running, SIGKILL);
  }
  if (const auto shared = m_shared.find(const_cast<Run*>(&run)); shared != m_shared.end()) {
    std::deque<Job> waiting;
    if (shared->second.waiting) waiting.push_back(std::move(*shared->second.waiting));
    shared->second.waiting.reset();
    shared->second.zygote->killed_because = gone;
    shared->second.zygote->since = work_time();
    signal_shared(shared->second, SIGKILL);
    drop(waiting, run);
  }
  dispatch_waiting();
}

void Program::drop_checks(std::deque<Job>& jobs, const Run& run) {
  for (const Job& job : jobs) {
    if (job.run == &run) m_events.job_over(*this, job);
  }
  std::erase_if(jobs, [&](const Job& job) { return job.run == &run; });
}

// Nobody hears their results.
void Program::drop(std::deque<Job>& jobs, const Run& run) {
  if (jobs.empty()) return;
  std::deque<Job> kept;
  std::deque<Job> dropped;
  for (Job& job : jobs) (job.run == &run ? dropped : kept).push_back(std::move(job));
  jobs = std::move(kept);
  for (Job& job : dropped) {
    if (&jobs == &m_suspects) job.suspect = false;  // it has not been given its turn, alone
    over(job);
  }
}

}  // namespace hearth::server
