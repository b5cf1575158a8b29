// The ends of the processes that were forked, and of what these leave behind.
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "process/children.hpp"
#include "zygote/core.hpp"
#include "zygote/coverage.hpp"

namespace hearth::zygote {
namespace {

std::uint64_t microseconds(const timeval& time) {
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000u +
         static_cast<std::uint64_t>(time.tv_usec);
}

}  // namespace

void Core::reap() {
  signalfd_siginfo ignored;
  while (read(m_signals, &ignored, sizeof ignored) > 0) {
  }
  while (reap_one()) {
  }
}

// Reaps one child that has ended. A helper of the program's own stays for the program to reap.
bool Core::reap_one() {
  rusage usage{};
  int status = 0;
  pid_t pid = 0;
  if (m_helpers.empty()) {
    pid = wait4(-1, &status, WNOHANG | WUNTRACED, &usage);
  } else {
    for (const Execution& execution : m_executions) {
      pid = wait4(execution.pid, &status, WNOHANG | WUNTRACED, &usage);
      if (pid > 0) break;
    }
  }
  if (pid <= 0) return false;
  if (WIFSTOPPED(status)) {
    go_on(pid);
    return true;
  }
  const auto found = std::find_if(m_executions.begin(), m_executions.end(),
                                  [&](const Execution& e) { return e.pid == pid; });
  if (found == m_executions.end()) return true;  // an orphan that ended by itself
  const Execution execution = *found;
  m_executions.erase(found);
  ended(execution, status, usage);
  return true;
}

// A suite's process that stops would take the tests that are to come with it. A test that stops
// runs into its limit.
void Core::go_on(pid_t stopped) const {
  for (const Execution& execution : m_executions) {
    if (execution.pid == stopped && execution.kind == Kind::suite) ::kill(stopped, SIGCONT);
  }
}

bool Core::is_known(pid_t pid) const {
  return std::find(m_helpers.begin(), m_helpers.end(), pid) != m_helpers.end() ||
         std::any_of(m_executions.begin(), m_executions.end(),
                     [&](const Execution& e) { return e.pid == pid; });
}

// An orphan that no running test can claim: its group or its mark is the ended one's, or its mark
// is of none that runs. What this process started itself before it parked, and what came of that,
// is no test's.
bool Core::belongs_to_the_dead(pid_t orphan, const Execution& ended) const {
  const auto mark = process::marker_of(orphan);
  if (mark && mark == m_mark) return false;
  if (m_executions.empty() || getpgid(orphan) == ended.pid) return true;
  if (!mark) return false;
  return std::none_of(m_executions.begin(), m_executions.end(),
                      [&](const Execution& e) { return e.id == *mark; });
}

void Core::ended(const Execution& execution, int status, const rusage& usage) {
  coverage::reaped(execution.pid);
  constexpr int max_rounds = 1000;
  constexpr int max_named = 20;
  std::string encoded;
  protozero::pbf_writer ended(encoded);
  ended.add_uint64(1, execution.id);
  ended.add_int32(2, status);
  ended.add_uint64(3, microseconds(usage.ru_utime));
  ended.add_uint64(4, microseconds(usage.ru_stime));
  ended.add_uint64(5, static_cast<std::uint64_t>(usage.ru_maxrss));
  ended.add_uint64(6, now());
  int named = 0;
  bool found = true;
  for (int round = 0; found && round < max_rounds; ++round) {
    found = false;
    for (const pid_t orphan : process::read_children(m_children_list)) {
      if (is_known(orphan) || !belongs_to_the_dead(orphan, execution)) continue;
      const std::string command = process::command_of(orphan);
      if (!process::is_zombie(orphan) && !process::is_symbolizer(command) && named++ < max_named) {
        protozero::pbf_writer leftover(ended, 7);
        leftover.add_uint64(1, static_cast<std::uint64_t>(orphan));
        message::add(leftover, 2, command);
      }
      ::kill(orphan, SIGKILL);
      waitpid(orphan, nullptr, 0);
      found = true;
    }
  }
  send(message::from_zygote::ended, encoded);
}

}  // namespace hearth::zygote
