// Program: its limits of time, and what is done about those that run into them.
#include <signal.h>

#include <algorithm>

#include "process/children.hpp"
#include "server/program.hpp"
#include "worker.pb.h"

namespace hearth::server {
namespace {

constexpr auto watch_after = std::chrono::milliseconds(4);
constexpr auto unresponsive_after = std::chrono::seconds(10);

}  // namespace

void Program::tick(SteadyTime now) {
  for (auto& [id, running] : m_running) check_time(id, running, now);
  if (m_zygote) check_loading(*m_zygote, now);
  if (m_zygote && m_exiting) check_exit(now);
  for (auto& [id, zygote] : m_singles) check_loading(*zygote, now);
  for (auto& [index, suite] : m_suites) {
    if (suite.zygote) check_suite(suite, now);
  }
  for (auto& [run, shared] : m_shared) check_shared(shared, now);
}

void Program::check_time(std::uint64_t id, Running& running, SteadyTime now) {
  Execution& execution = *running.job.execution;
  const auto begun = execution.begun_at();
  const bool single = m_singles.contains(id);
  if (!begun) {
    if (Shared* const shared = shared_of(running.zygote)) {
      if (now - running.asked > m_options.load_timeout) signal_shared(*shared, SIGKILL);
      return;
    }
    if (!single && m_zygote && now - running.asked > m_options.load_timeout) {
      kill_zygote(*m_zygote, "it did not answer");
    }
    return;
  }
  if (now - *begun > watch_after) execution.watch(m_io);
  if (running.terminated) {
    if (!running.killed && now - *running.terminated >= m_options.grace) {
      running.killed = true;
      signal_execution(id, running, SIGKILL);
    }
    // Nobody says that it has ended: its zygote is stopped, or stuck.
    if (running.killed && m_zygote && !single &&
        now - *running.terminated > m_options.grace + unresponsive_after) {
      kill_zygote(*m_zygote, "it did not answer");
    }
  } else {
    check_limit(id, running, now);
  }
}

// The server's limit, or the test's own where that is tighter; 0: none, which the server's says for
// all.
std::chrono::milliseconds Program::time_limit_of(std::uint32_t test) const {
  const auto own = m_catalog[test].time_limit;
  return own.count() == 0 ? m_options.timeout : std::min(own, m_options.timeout);
}

// At its limit a test is asked where it is, and then ended.
void Program::check_limit(std::uint64_t id, Running& running, SteadyTime now) {
  Execution& execution = *running.job.execution;
  if (running.stacks) {
    const auto text = running.stacks->poll(now);
    if (!text) return;
    execution.attach_stacks(*text);
    running.stacks.reset();
    terminate(id, running, now);
  } else if (const auto limit = time_limit_of(running.job.test);
             limit.count() > 0 && now - *execution.begun_at() >= limit) {
    execution.timed_out(limit);
    // Its mark shows that the pid is still the test's.
    const Shared* const shared = shared_of(running.zygote);
    if (process::marker_of(running.pid) == (shared != nullptr ? shared->zygote->mark : id)) {
      running.stacks = std::make_unique<StackReader>(running.pid, m_orphans, now);
    } else {
      terminate(id, running, now);
    }
  }
}

void Program::terminate(std::uint64_t id, Running& running, SteadyTime now) {
  running.terminated = now;
  signal_execution(id, running, SIGTERM);
}

void Program::check_loading(Zygote& zygote, SteadyTime now) {
  if (zygote.was_ready || !zygote.killed_because.empty() ||
      now - zygote.since < m_options.load_timeout)
    return;
  note_files(zygote);
  kill_zygote(zygote,
              "it was not ready to run tests within " + describe_time(m_options.load_timeout) +
                  (zygote.framework.empty() ? ", and no word came from a Hearth adapter" : ""));
}

// What it does between its tests, and behind the last, is tear-down, which takes as long as a test
// may.
void Program::check_shared(Shared& shared, SteadyTime now) {
  Zygote& zygote = *shared.zygote;
  if (shared.spawned) check_loading(zygote, now);
  const bool tests = std::any_of(m_running.begin(), m_running.end(),
                                 [&](const auto& entry) { return entry.second.zygote == &zygote; });
  if (tests || (zygote.state == Zygote::State::ready && !zygote.finishing)) return;
  const auto limit = zygote.was_ready ? m_options.timeout : m_options.load_timeout;
  const bool unanswered =
      !shared.spawned && zygote.pid == 0 && now - zygote.since >= m_options.load_timeout;
  if (unanswered) {
    if (m_zygote) kill_zygote(*m_zygote, "it did not answer");
  } else if (!zygote.killed_because.empty()) {
    if (m_zygote && !shared.spawned && now - zygote.since > unresponsive_after)
      kill_zygote(*m_zygote, "it did not answer");
  } else if (limit.count() > 0 && now - zygote.since >= limit) {
    zygote.killed_because = "it ran into the time limit of " + describe_time(limit);
    zygote.since = now;
    signal_shared(shared, SIGKILL);
  }
}

// A suite's set-up or tear-down takes as long as a test may.
void Program::check_suite(Suite& suite, SteadyTime now) {
  Zygote& zygote = *suite.zygote;
  const bool busy = !zygote.was_ready || zygote.finishing;
  if (!busy || m_options.timeout.count() == 0) return;
  if (!zygote.killed_because.empty()) {
    // Nobody says that it has ended: the program's warm process is stuck.
    if (m_zygote && now - zygote.since > unresponsive_after)
      kill_zygote(*m_zygote, "it did not answer");
  } else if (now - zygote.since >= m_options.timeout) {
    zygote.killed_because = "it ran into the time limit of " + describe_time(m_options.timeout);
    zygote.since = now;
    kill_suite(suite);
  }
}

void Program::kill_suite(Suite& suite) {
  if (!m_zygote) return;
  worker::ToZygote kill;
  kill.mutable_kill()->set_execution(suite.zygote->execution);
  kill.mutable_kill()->set_signal(SIGKILL);
  m_zygote->channel.send(kill);
}

void Program::signal_execution(std::uint64_t id, const Running& running, int signal) {
  if (const Shared* const shared = shared_of(running.zygote)) return signal_shared(*shared, signal);
  if (m_singles.contains(id)) {
    kill(-running.zygote->pid, signal);
    return;
  }
  worker::ToZygote message;
  message.mutable_kill()->set_execution(id);
  message.mutable_kill()->set_signal(static_cast<std::uint32_t>(signal));
  running.zygote->channel.send(message);
}

void Program::kill_zygote(Zygote& zygote, const std::string& because) {
  if (zygote.killed_because.empty()) zygote.killed_because = because;
  if (zygote.pid <= 0) return;
  kill(-zygote.pid, SIGKILL);
  kill(zygote.pid, SIGKILL);
}

}  // namespace hearth::server
