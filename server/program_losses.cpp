// Program: its processes' ends, expected or not, and what becomes of the tests that they took
// along.
#include <signal.h>
#include <sys/wait.h>

#include "process/children.hpp"
#include "process/wait_status.hpp"
#include "server/program.hpp"
#include "server/run.hpp"
#include "worker.pb.h"

namespace hearth::server {
namespace {

constexpr int max_losses = 10;
constexpr int max_failed_starts = 2;

// What it was first started with has the variable, which the adapter removes.
bool has_started_itself_anew(const Zygote& zygote) {
  return process::is_marked_without(zygote.pid, channel_variable);
}

}  // namespace

bool Program::process_ended(pid_t pid, int wait_status, const rusage&) {
  if (m_zygote && m_zygote->pid == pid) {
    m_zygote->pid = 0;  // it may be another's from now on
    m_zygote->channel.read_now();
    zygote_lost(wait_status);
    return true;
  }
  for (const auto& [execution, zygote] : m_singles) {
    if (zygote->pid != pid) continue;
    single_ended(*zygote, wait_status);
    return true;
  }
  for (auto& [run, shared] : m_shared) {
    if (!shared.spawned || shared.zygote->pid != pid) continue;
    shared.zygote->pid = 0;
    shared.zygote->channel.read_now();
    shared_ended(shared, wait_status, m_orphans.kill_left_by(shared.zygote->mark, pid));
    return true;
  }
  return false;
}

// A warm process that stops would take every test that is to come with it.
void Program::process_stopped(pid_t pid) {
  if (!m_zygote || m_zygote->pid != pid) return;
  m_events.log("program " + m_spec.name + ": its warm process was stopped, and is told to go on");
  kill(pid, SIGCONT);
}

// The channel is closed: the process ends, now or by our hand; process_ended() goes on. A single
// test's closes its channel in the ordinary course.
void Program::on_closed(Zygote& zygote) {
  if (&zygote == m_zygote.get()) {
    if (m_shutting_down || zygote.finishing) return;
    zygote.killed_for_silence = true;
    zygote.started_itself_anew =
        !zygote.was_ready && !zygote.framework.empty() && has_started_itself_anew(zygote);
    kill_zygote(zygote, "");
  } else if (Suite* const suite = suite_of(zygote); suite != nullptr && !zygote.finishing) {
    kill_suite(*suite);
  } else if (Shared* const shared = shared_of(&zygote); shared != nullptr && !zygote.finishing) {
    zygote.killed_for_silence = true;
    signal_shared(*shared, SIGKILL);
  }
}

void Program::zygote_lost(int wait_status) {
  Zygote& zygote = *m_zygote;
  const bool expected = m_shutting_down || zygote.finishing;
  if (m_exiting) return exited(wait_status);
  const std::string account = account_of(zygote, wait_status);
  if (expected && !zygote.closing_failure.empty()) {
    m_events.log("program " + m_spec.name + ": its global tear-down failed:\n" +
                 zygote.closing_failure);
  } else if (expected && wait_status != 0 && zygote.killed_because.empty()) {
    m_events.log("program " + m_spec.name + ": its tear-down " +
                 process::describe_wait_status(wait_status));
  }
  bury(std::move(m_zygote));
  if (expected) return m_events.takes_more();  // an exit check may wait
  if (!m_listed) return fail_to_load(account);
  const std::string cause =
      "The program's warm process " + process::describe_wait_status(wait_status);
  reset_suites();
  reset_shared();
  lose_executions(zygote, cause);
  if (zygote.doubled) {
    m_trouble = account;
    m_events.log("program " + m_spec.name +
                 " cannot be served any more: " + account.substr(0, account.find('\n')));
    return dispatch_waiting();
  }
  if (!zygote.was_ready) ++m_failed_starts;
  start_again(cause, account);
}

void Program::start_again(const std::string& cause, const std::string& account) {
  if (++m_losses > max_losses || m_failed_starts > max_failed_starts) {
    m_trouble = cause + ", again and again; the last time:\n" + account;
    m_events.log("program " + m_spec.name + " was lost too often: " + cause);
    dispatch_waiting();
  } else {
    m_events.log("program " + m_spec.name + " is started again: " + cause);
    start();
  }
}

void Program::single_ended(Zygote& zygote, int wait_status) {
  const std::uint64_t id = zygote.execution;
  zygote.output.read_now();
  Evidence evidence;
  evidence.words = zygote.words;
  evidence.wait_status = wait_status;
  evidence.left = m_orphans.kill_left_by(id, zygote.pid);
  if (!zygote.was_ready) {
    evidence.trouble = "Started for this test, " + account_of(zygote, wait_status);
  }
  auto single = m_singles.extract(id);
  end_execution(id, evidence);
  bury(std::move(single.mapped()));
}

// It is kept until the loop is out of its callbacks, and so of every use in this turn.
void Program::bury(std::unique_ptr<Zygote> zygote) {
  zygote->channel.close();
  (void)zygote->output.text();  // the rest of it, for the log
  zygote->output.mute();
  asio::post(m_io, [kept = std::shared_ptr<Zygote>(std::move(zygote))] {});
}

void Program::lose_executions(const Zygote& zygote, const std::string& cause) {
  std::vector<std::uint64_t> lost;
  for (const auto& [id, running] : m_running) {
    if (running.zygote == &zygote) lost.push_back(id);
  }
  for (const std::uint64_t id : lost) lose(std::move(m_running.extract(id).mapped().job), cause);
}

// What ran when its zygote was lost runs once more, alone: whoever is lost twice did it.
void Program::lose(Job job, const std::string& cause) {
  if (job.suspect || m_shutting_down || job.run->is_cancelled()) {
    Evidence evidence;
    evidence.trouble = cause + " while this test ran, alone.";
    return end_job(std::move(job), evidence);
  }
  job.suspect = true;
  if (job.execution) {
    auto pipes = is_shared() ? ExecutionPipes() : make_execution_pipes();
    if (!pipes) {
      Evidence evidence;
      evidence.trouble =
          cause + ", and the test could not be started again: " + pipes.error().text();
      return end_job(std::move(job), evidence);
    }
    job.execution->restart(std::move(*pipes), cause);
  }
  m_suspects.push_back(std::move(job));
}

}  // namespace hearth::server
