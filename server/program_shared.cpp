// Program without isolation: for each Run one process in which its tests run, one after the other.
#include <signal.h>

#include <algorithm>

#include "process/wait_status.hpp"
#include "server/program.hpp"
#include "server/run.hpp"
#include "server/spawn.hpp"
#include "worker.pb.h"

namespace hearth::server {
namespace {

Evidence trouble(std::string text) {
  Evidence evidence;
  evidence.trouble = std::move(text);
  return evidence;
}

// The process keeps its stdout and stderr from its first test to its last, as by hand; what is
// written while a test runs is that test's.
Expected<ExecutionPipes> pipes_in(Zygote& zygote) {
  auto report = make_channel();
  if (!report) return tl::unexpected(report.error());
  OutputTail::Lent lent = zygote.output.lend();
  if (lent.out && lent.err) {
    return ExecutionPipes{std::move(*report), {std::move(lent.out), {}}, {std::move(lent.err), {}}};
  }
  zygote.output.take_back();
  return tl::unexpected(
      Error{"read a test's output", "there is no descriptor left", "raise `ulimit -n`"});
}

}  // namespace

Program::Shared* Program::shared_of(const Zygote* zygote) {
  const auto found = std::find_if(m_shared.begin(), m_shared.end(), [&](const auto& entry) {
    return zygote != nullptr && entry.second.zygote.get() == zygote;
  });
  return found == m_shared.end() ? nullptr : &found->second;
}

Program::Shared* Program::shared_of(std::uint64_t execution) {
  const auto found = std::find_if(m_shared.begin(), m_shared.end(), [&](const auto& entry) {
    return execution != 0 && entry.second.zygote->execution == execution;
  });
  return found == m_shared.end() ? nullptr : &found->second;
}

void Program::run_shared(Job job) {
  const auto known = m_shared.find(job.run);
  if (known == m_shared.end()) {
    start_shared(std::move(job));
  } else if (known->second.zygote->state == Zygote::State::ready) {
    launch_shared(known->second, std::move(job));
  } else {
    known->second.waiting = std::move(job);
  }
}

void Program::start_shared(Job job) {
  Expected<Shared> shared = m_runs_single ? spawn_shared() : fork_shared();
  if (!shared)
    return end_job(std::move(job),
                   trouble("The test could not be started: " + shared.error().text()));
  Run* const run = job.run;
  shared->run = run;
  shared->waiting = std::move(job);
  m_shared.emplace(run, std::move(*shared));
  m_events.hold(run, true);
}

Expected<Program::Shared> Program::fork_shared() {
  auto pipes = make_execution_pipes();
  if (!pipes) return tl::unexpected(pipes.error());
  Shared shared;
  shared.zygote = make_zygote(std::move(pipes->report.ours), std::move(pipes->out.ours),
                              std::move(pipes->err.ours));
  shared.zygote->execution = shared.zygote->mark = next_execution();
  shared.zygote->framework = m_zygote->framework;
  shared.zygote->words = m_zygote->words;
  worker::ToZygote message;
  message.mutable_start_shared()->set_execution(shared.zygote->execution);
  std::vector<UniqueFd> theirs;
  theirs.push_back(std::move(pipes->report.theirs));
  theirs.push_back(std::move(pipes->out.theirs));
  theirs.push_back(std::move(pipes->err.theirs));
  m_zygote->channel.send(message, std::move(theirs));
  return shared;
}

Expected<Program::Shared> Program::spawn_shared() {
  const std::uint64_t mark = next_execution();
  auto spawned = spawn(m_spec, {m_options.cwd, m_options.environment, counts_of_next()}, mark);
  if (!spawned) return tl::unexpected(spawned.error());
  m_orphans.started(spawned->pid);
  Shared shared;
  shared.spawned = true;
  shared.zygote =
      make_zygote(std::move(spawned->channel), std::move(spawned->out), std::move(spawned->err));
  shared.zygote->execution = shared.zygote->mark = mark;
  shared.zygote->pid = spawned->pid;
  return shared;
}

void Program::on_shared_ready(Shared& shared) {
  shared.zygote->since = work_time();
  shared.parked = true;
  if (auto job = std::exchange(shared.waiting, std::nullopt))
    launch_shared(shared, std::move(*job));
  dispatch_waiting();
}

void Program::launch_shared(Shared& shared, Job job) {
  Zygote& zygote = *shared.zygote;
  auto pipes = pipes_in(zygote);
  if (!pipes)
    return end_job(std::move(job),
                   trouble("The test could not be started: " + pipes.error().text()));
  if (job.execution) {
    job.execution->replace_pipes(std::move(*pipes));
  } else {
    job.execution =
        std::make_unique<Execution>(job.target, std::move(*pipes), m_options.output_limit);
  }
  worker::ToZygote message;
  worker::RunTest& run = *message.mutable_run_test();
  run.set_test(job.test);
  run.set_name(std::string(m_catalog.name_of(job.test)));
  run.set_in_place(true);
  run.set_keep(true);
  if (job.next) {
    run.set_next_test(*job.next);
    run.set_next_name(std::string(m_catalog.name_of(*job.next)));
  }
  const std::uint64_t id = prepare(std::move(job), &zygote);
  run.set_execution(id);
  zygote.state = Zygote::State::greeted;  // until it is ready for the next one
  shared.parked = false;
  zygote.channel.send(message, m_running.at(id).job.execution->take_theirs());
}

void Program::shared_test_ended(Shared& shared, std::uint64_t id) {
  Running& running = m_running.at(id);
  ++shared.ended;
  shared.last_target = running.job.target;
  shared.last_test = running.job.test;
  shared.zygote->since = work_time();
  if (running.stacks || running.terminated) {  // too late: the tests behind it get a fresh process
    running.stacks.reset();
    running.terminated = shared.zygote->since;
    running.killed = true;
    return signal_shared(shared, SIGKILL);
  }
  Evidence evidence;
  evidence.words = shared.zygote->words;
  evidence.wait_status = 0;
  end_execution(id, evidence);
  shared.zygote->output.take_back();
}

// ---- its end

// No test of the Run is to come.
void Program::finish_shared(Run* run) {
  const auto known = m_shared.find(run);
  if (known == m_shared.end()) return;
  known->second.zygote->since = work_time();
  finish(*known->second.zygote, false);
}

// What ran in it has failed by that, what waited for it goes to a fresh one.
void Program::shared_ended(Shared& known, int wait_status, const std::vector<LeftProcess>& left) {
  Shared shared = std::move(m_shared.extract(known.run).mapped());
  Zygote& ended = *shared.zygote;
  const bool finishing = ended.finishing;
  const bool in_test = end_running_in(shared, wait_status, left);
  const bool tears_down = finishing ? wait_status != 0 : shared.ended > 0 && !shared.parked;
  if (!in_test && wait_status == 0 && !ended.closing_failure.empty() && !m_shutting_down) {
    report_tear_down(shared.last_target, m_catalog[shared.last_test].suite, ended.closing_failure);
  } else if (!in_test && tears_down && !m_shutting_down) {
    report_tear_down(shared.last_target, m_catalog[shared.last_test].suite,
                     "The process of the Run's tests " + end_of(ended, wait_status) + ".\n" +
                         ended.output.text());
  }
  if (!in_test && !left.empty()) {
    m_events.log("program " + m_spec.name + ": its tests left " + std::to_string(left.size()) +
                 " process(es) behind (killed), the first: " + left.front().command);
  }
  if (shared.waiting) end_waiting_for(shared, wait_status);
  bury(std::move(shared.zygote));
  m_events.hold(shared.run, false);
  dispatch_waiting();
}

std::string Program::end_of(const Zygote& ended, int wait_status) {
  if (!ended.killed_because.empty()) return "was killed: " + ended.killed_because;
  const bool silent =
      ended.killed_for_silence && WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
  return process::describe_wait_status(wait_status) +
         (silent ? ", its channel to the server closed (by itself, with a descriptor that was not "
                   "its own, or by whoever "
                   "killed it)"
                 : "");
}

// True: a test ran in it.
bool Program::end_running_in(Shared& shared, int wait_status,
                             const std::vector<LeftProcess>& left) {
  const auto found = std::find_if(m_running.begin(), m_running.end(), [&](const auto& entry) {
    return entry.second.zygote == shared.zygote.get();
  });
  if (found == m_running.end()) return false;
  Job job = std::move(m_running.extract(found).mapped().job);
  if (!job.execution->begun()) {
    shared.waiting = std::move(job);
    return false;
  }
  if (job.next) {
    m_events.log("program " + m_spec.name + ": the process of the Run's tests " +
                 end_of(*shared.zygote, wait_status) + " in " + std::string(job.target.test_id) +
                 "; the tests behind it go on in a fresh process");
  }
  Evidence evidence;
  evidence.words = shared.zygote->words;
  evidence.wait_status = wait_status;
  evidence.left = left;
  if (shared.zygote->killed_for_silence && WIFSIGNALED(wait_status) &&
      WTERMSIG(wait_status) == SIGKILL) {
    evidence.trouble = "The test's process " + end_of(*shared.zygote, wait_status) + '.';
  }
  end_job(std::move(job), evidence);
  return true;
}

// A process in which nothing has run is no better the next time.
void Program::end_waiting_for(Shared& shared, int wait_status) {
  Zygote& ended = *shared.zygote;
  if (shared.ended == 0 || shared.run->is_cancelled()) {
    const std::string account =
        shared.spawned ? "Started for the Run's tests, " + account_of(ended, wait_status)
                       : "The process for the Run's tests " + end_of(ended, wait_status) +
                             " before the test began.\n" + ended.output.text();
    return end_job(std::move(*shared.waiting), trouble(account));
  }
  std::deque<Job> jobs;
  jobs.push_back(std::move(*shared.waiting));
  requeue(jobs);
}

// The warm process is gone, and its forks with it.
void Program::reset_shared() {
  const std::string cause =
      "The program's warm process ended, and the process of the Run's tests with it,";
  for (auto at = m_shared.begin(); at != m_shared.end();) {
    const auto one = at++;
    if (one->second.spawned) continue;
    one->second.zygote->channel.read_now();  // what has ended has ended
    Shared shared = std::move(m_shared.extract(one).mapped());
    lose_executions(*shared.zygote, cause);
    if (shared.waiting) lose(std::move(*shared.waiting), cause);
    bury(std::move(shared.zygote));
    m_events.hold(shared.run, false);
  }
}

void Program::signal_shared(const Shared& shared, int signal) {
  if (shared.spawned) {
    if (shared.zygote->pid > 0) kill(-shared.zygote->pid, signal);
  } else if (m_zygote) {
    worker::ToZygote message;
    message.mutable_kill()->set_execution(shared.zygote->execution);
    message.mutable_kill()->set_signal(static_cast<std::uint32_t>(signal));
    m_zygote->channel.send(message);
  }
}

}  // namespace hearth::server
