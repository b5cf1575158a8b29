#include "server/program.hpp"

#include <algorithm>

#include "process/wait_status.hpp"
#include "protocol/utf8.hpp"
#include "server/program_look.hpp"
#include "server/program_words.hpp"
#include "worker.pb.h"

namespace hearth::server {
namespace {

constexpr std::uint32_t channel_version = 1;
constexpr auto cheap_load = std::chrono::seconds(1);

// Of a time limit in seconds, as the worker channel has it; what is no sensible one is none.
std::chrono::milliseconds milliseconds_of(double seconds) {
  constexpr double most = 1e9;
  return std::chrono::milliseconds(
      seconds > 0 && seconds < most ? static_cast<std::int64_t>(seconds * 1000) : 0);
}

}  // namespace

std::uint64_t next_execution() {
  static std::uint64_t last = 0;
  return ++last;
}

Program::Program(asio::io_context& io, ProgramSpec spec, const ServeOptions& options,
                 Orphans& orphans, ProgramEvents& events, std::uint64_t generation)
    : m_io(io),
      m_spec(std::move(spec)),
      m_options(options),
      m_orphans(orphans),
      m_events(events),
      m_catalog(m_spec.name),
      m_load_id(m_spec.name + ".load"),
      m_generation(generation) {}

void Program::start() {
  if (m_listed) {
    m_restarted_with = m_identity.changed().value_or("");
  } else {
    m_load_began = work_time();
    m_identity = ProgramIdentity(m_spec, m_options.cwd);
    if (const auto why = why_not_started(m_spec, m_options.environment)) return fail_to_load(*why);
  }
  const std::uint64_t mark = next_execution();
  auto spawned = spawn(m_spec, {m_options.cwd, m_options.environment, counts_of_next()}, mark);
  if (!spawned) return fail_to_load(spawned.error().text());
  m_orphans.started(spawned->pid);
  m_zygote =
      make_zygote(std::move(spawned->channel), std::move(spawned->out), std::move(spawned->err));
  m_zygote->pid = spawned->pid;
  m_zygote->mark = mark;
  m_since = std::chrono::system_clock::now();
}

// Where it cannot be forked, a process that was started before has run its tests, or is to.
Counts Program::counts_of_next() const {
  if (!m_coverage) return Counts::first;
  return m_runs_single ? Counts::adds : Counts::anew;
}

std::unique_ptr<Zygote> Program::make_zygote(UniqueFd channel, UniqueFd out, UniqueFd err) {
  return std::make_unique<Zygote>(
      m_io, std::move(channel), std::move(out), std::move(err),
      [this](Zygote& zygote, const worker::FromZygote& message) { on_message(zygote, message); },
      [this](Zygote& zygote) { on_closed(zygote); },
      [this](Zygote& zygote, std::string_view line) { on_line(zygote, line); });
}

// A report on one of the forks goes to where it explains something. False: it is none.
bool Program::hand_on(std::string_view line) {
  const auto pid = pid_in_report(line);
  if (!pid || (m_zygote && *pid == m_zygote->pid)) return false;
  for (const auto& [id, running] : m_running) {
    if (*pid != running.pid) continue;
    running.job.execution->add_error_line(line);
    return true;
  }
  for (const auto& [index, suite] : m_suites) {
    if (!suite.zygote || *pid != suite.zygote->pid) continue;
    suite.zygote->output.add(line);
    return true;
  }
  for (const auto& [run, shared] : m_shared) {
    if (shared.spawned || *pid != shared.zygote->pid) continue;
    shared.zygote->output.add(line);
    return true;
  }
  constexpr std::size_t most = 1000;
  const bool may_be_starting = std::any_of(m_running.begin(), m_running.end(),
                                           [](const auto& one) { return one.second.pid == 0; });
  if (!may_be_starting || m_unclaimed.size() >= most) return false;
  m_unclaimed.emplace_back(line);
  return true;
}

void Program::hand_on_unclaimed() {
  for (const std::string& line : std::exchange(m_unclaimed, {})) {
    if (!hand_on(line) && log_takes_a_line()) m_events.log(words_line(m_spec.name, line, true));
  }
}

// Outside its tests. What every start of the program says again was told at the first.
void Program::on_line(Zygote& zygote, std::string_view line) {
  constexpr std::size_t most = 32 * 1024;  // of one process
  if (hand_on(line)) return;
  const bool is_warm = &zygote == m_zygote.get();
  const bool beside =
      zygote.was_ready && !zygote.finishing && shared_of(&zygote) == nullptr && !m_shutting_down;
  const bool again = !zygote.was_ready && !suite_of(zygote) && (!is_warm || m_listed);
  if (again || zygote.words_told > most) return;
  zygote.words_told += line.size() + 1;
  if (!log_takes_a_line()) return;
  m_events.log(words_line(m_spec.name, line, beside));
  if (zygote.words_told > most)
    m_events.log(words_line(m_spec.name, "(and more, which is not shown)", beside));
}

void Program::on_message(Zygote& zygote, const worker::FromZygote& message) {
  switch (message.message_case()) {
    case worker::FromZygote::kHello:
      return on_hello(zygote, message.hello());
    case worker::FromZygote::kTests:
      if (m_listed) return;
      for (const worker::Test& test : message.tests().test()) {
        m_catalog.add(test.name(), test.suite(), test.hidden(), test.suite_process(),
                      milliseconds_of(test.time_limit()));
      }
      return;
    case worker::FromZygote::kReady:
      return on_ready(zygote, message.ready());
    case worker::FromZygote::kStarted:
      return on_started(zygote, message.started());
    case worker::FromZygote::kEnded:
      return on_ended(zygote, message.ended());
    case worker::FromZygote::kRefused:
      return on_refused(message.refused());
    case worker::FromZygote::kElsewhere:
      zygote.ran_elsewhere = message.elsewhere().pid();
      return;
    case worker::FromZygote::kClosed:
      zygote.closing_failure += protocol::as_utf8(message.closed().failure());
      return;
    case worker::FromZygote::kSuiteClosed:
      if (const Shared* const shared = shared_of(&zygote)) {
        report_tear_down(shared->last_target, m_catalog[shared->last_test].suite,
                         protocol::as_utf8(message.suite_closed().failure()));
      }
      return;
    default:
      return;  // from a later version
  }
}

void Program::on_hello(Zygote& zygote, const worker::Hello& hello) {
  if (zygote.state != Zygote::State::starting) return on_second_hello(zygote, hello);
  zygote.greeted_as = hello.pid();
  zygote.state = Zygote::State::greeted;
  zygote.framework = protocol::as_utf8(hello.framework() + ' ' + hello.framework_version());
  if (&zygote == m_zygote.get()) m_framework = zygote.framework;
  note_files(zygote);
  if (hello.min_version() > channel_version || hello.max_version() < channel_version) {
    return kill_zygote(
        zygote, "its adapter speaks versions " + std::to_string(hello.min_version()) + " to " +
                    std::to_string(hello.max_version()) +
                    " of the worker channel and this server version " +
                    std::to_string(channel_version) + ": build it with this Hearth's adapter");
  }
  if (&zygote == m_zygote.get()) m_can_share = hello.shares();
  worker::ToZygote welcome;
  welcome.mutable_welcome()->set_version(channel_version);
  welcome.mutable_welcome()->set_describe_tests(!m_listed);
  zygote.channel.send(welcome);
}

void Program::on_ready(Zygote& zygote, const worker::Ready& ready) {
  zygote.state = Zygote::State::ready;
  const bool is_suite = suite_of(zygote) != nullptr;
  if (!zygote.was_ready) {
    zygote.words += zygote.output.words(is_suite ? "The set-up of the test's suite"
                                                 : "Before its tests, the program");
  }
  zygote.was_ready = true;
  if (Shared* const shared = shared_of(&zygote)) return on_shared_ready(*shared);
  if (Suite* const suite = suite_of(zygote)) return on_suite_ready(*suite, ready);
  if (&zygote != m_zygote.get()) {  // started for a single test: it is told to run it
    const auto running = m_running.find(zygote.execution);
    if (running == m_running.end()) return;
    worker::ToZygote message;
    worker::RunTest& run = *message.mutable_run_test();
    run.set_execution(zygote.execution);
    run.set_test(running->second.job.test);
    run.set_name(std::string(m_catalog.name_of(running->second.job.test)));
    run.set_in_place(true);
    Execution& execution = *running->second.job.execution;
    execution.begin(std::chrono::system_clock::now(), work_time());
    return zygote.channel.send(message, execution.take_theirs());
  }
  note_files(zygote);
  m_failed_starts = 0;
  m_coverage = ready.coverage();
  m_trouble = protocol::as_utf8(ready.set_up_failure());
  m_skipped = ready.set_up_skipped();
  if (!m_trouble.empty() && !m_skipped)
    m_trouble = "The program's global set-up failed:\n" + m_trouble;
  if (m_trouble.empty() && is_shared() && !m_can_share) {
    m_trouble =
        "The program's Hearth adapter is too old for --isolation=none; build the program anew.";
  }
  if (ready.mode() == worker::Ready::EXEC || !m_options.forks) {
    m_runs_single = true;
    if (!m_listed) {
      m_events.log("program " + m_spec.name + " is started anew for each " +
                   (is_shared() ? "Run" : "of its tests") + ": " +
                   (m_options.forks ? protocol::as_utf8(ready.why()) : "--fork never"));
    }
    if (!m_exits.empty()) {  // what it was started for now
      m_exiting = true;
      zygote.since = work_time();
    }
    finish(zygote, false);
  }
  settle();
  dispatch_waiting();
  m_events.takes_more();
}

// Whatever was listed may come from either.
void Program::on_second_hello(Zygote& zygote, const worker::Hello& hello) {
  if (hello.pid() == zygote.greeted_as) return;
  zygote.doubled = true;
  kill_zygote(zygote, "two processes answered, " + std::to_string(zygote.greeted_as) + " and " +
                          std::to_string(hello.pid()) +
                          ": its command starts the program more than once. Let the command start "
                          "one (mpirun -n 1, no `&`), by exec if it is a script");
}

void Program::settle() {
  if (m_listed) return;
  m_listed = true;
  m_catalog.add_checks();
  m_settled = work_time();
  m_events.settled(*this);
}

void Program::fail_to_load(const std::string& cause) {
  // Without a log that stays, only the results' readers are there, and they are told.
  if (m_options.listen) {
    m_events.log("program " + m_spec.name +
                 " cannot be served: " + cause.substr(0, cause.find('\n')));
  }
  if (m_listed) {
    m_trouble = "The program could not be started again: " + cause;
    return dispatch_waiting();
  }
  m_catalog.clear();
  m_load_failure = cause;
  m_settled = work_time();
  m_events.settled(*this);
}

// ---- older builds

// Of the warm process, while it is there to be asked. Another one is not asked: the catalog is of
// the first.
void Program::note_files(const Zygote& zygote) {
  if (&zygote != m_zygote.get()) return;
  if (!m_listed) {
    m_identity.add_mapped(zygote.pid);
    if (zygote.was_ready && !m_identity.knows_mapped()) {
      m_events.log("program " + m_spec.name + ": its shared libraries are not known, as /proc/" +
                   std::to_string(zygote.pid) +
                   "/maps cannot be read; a change of them goes unnoticed");
    }
  } else if (m_restarted_with.empty()) {
    m_restarted_with = m_identity.changed().value_or("");
  }
}

std::optional<std::string> Program::changed() {
  std::optional<std::string> file = m_identity.changed();
  if (!file && !m_restarted_with.empty()) file = m_restarted_with;
  if (!file) return std::nullopt;
  return protocol::as_utf8(*file) + " has changed";
}

// What it failed for may be something else than the files that are known of it, so it is tried
// again. But a program that hangs, or whose set-up takes long, does not make every List and Run
// wait for as long anew.
std::optional<std::string> Program::why_afresh() {
  if (auto why = changed()) return why;
  if (m_load_failure.empty() && m_trouble.empty()) return std::nullopt;
  const SteadyTime::duration took = m_settled - m_load_began;
  const bool costs = m_load_failure.empty() ? took > cheap_load : took >= m_options.load_timeout;
  if (costs && work_time() - m_settled < took) return std::nullopt;
  return m_load_failure.empty() ? "it could run no tests" : "it could not be served";
}

// How a process that should have stayed ended, with its last words.
std::string Program::account_of(Zygote& zygote, int wait_status) const {
  std::string account = m_spec.path;
  const bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
  if (killed && !zygote.killed_because.empty()) {
    account += " was killed: " + zygote.killed_because + '.';
  } else {
    account += ' ' + process::describe_wait_status(wait_status);
    if (zygote.started_itself_anew) {
      account +=
          " while it was starting: it had started itself anew (by exec), and so lost its "
          "channel to the server. Let it do so before its static objects are initialised, "
          "or not when HEARTH_TEST is set (setarch -R, say, starts a program without "
          "randomised addresses as well).";
      return account + '\n' + zygote.output.text();
    }
    if (zygote.ran_elsewhere != 0) {
      account += ". Its tests were about to run in process " +
                 std::to_string(zygote.ran_elsewhere) +
                 ", which it had forked: Hearth serves the "
                 "process that it starts. Let main() run the tests in that, at least when "
                 "HEARTH_TEST is set.";
      return account + '\n' + zygote.output.text();
    }
    if (killed && zygote.killed_for_silence && zygote.framework.empty()) {
      account += ": descriptor " + std::to_string(channel_fd) +
                 ", which leads to the Hearth server, was closed while it was starting. A wrapper "
                 "must leave it open.";
      return account + '\n' + zygote.output.text();
    }
    if (killed && zygote.killed_for_silence) {
      account +=
          ", its channel to the server closed (by itself, with a descriptor that was not its own, "
          "or by "
          "whoever killed it),";
    }
    if (zygote.framework.empty()) {
      account +=
          " without a word from a Hearth adapter. Is it a test program, built with the flags of "
          "`pkg-config "
          "hearth-googletest`, hearth-doctest or hearth-cppunit? If a wrapper starts it, does that "
          "pass on its environment and descriptors?";
    } else {
      account += " before it had reached its first test.";
    }
  }
  return account + '\n' + zygote.output.text();
}

ProgramState Program::state() const {
  const std::string_view mode = !is_settled() ? "loading"
                                : !m_load_failure.empty() || (!m_trouble.empty() && !m_skipped)
                                    ? "failed"
                                : m_runs_single ? "exec"
                                                : "fork";
  return {m_spec.name,
          m_spec.path,
          mode,
          m_framework,
          m_catalog.test_count(),
          m_zygote ? m_zygote->pid : 0,
          m_generation,
          m_since};
}

void Program::add_running(std::vector<RunningTest>& tests) const {
  for (const auto& [id, running] : m_running) {
    const Job& job = running.job;
    if (const auto since = job.execution->announced())
      tests.push_back({job.target.session, job.target.test_id, *since});
  }
}

// ---- the end

void Program::add_live(std::unordered_set<std::uint64_t>& marks) const {
  if (m_zygote) marks.insert(m_zygote->mark);
  for (const auto& [id, running] : m_running) marks.insert(id);
  for (const auto& [index, suite] : m_suites) {
    if (suite.zygote) marks.insert(suite.zygote->execution);
  }
  for (const auto& [run, shared] : m_shared) {
    if (shared.zygote) marks.insert(shared.zygote->mark);
  }
}

bool Program::has_processes() const {
  return m_zygote != nullptr || !m_singles.empty() ||
         std::any_of(m_shared.begin(), m_shared.end(),
                     [](const auto& entry) { return entry.second.spawned; });
}

void Program::shut_down(bool abandon) {
  m_shutting_down = true;
  for (auto& [id, zygote] : m_singles) kill_zygote(*zygote, "the session ended");
  for (auto& [run, shared] : m_shared) {
    if (shared.spawned) kill_zygote(*shared.zygote, "the session ended");
  }
  if (!m_zygote || (m_zygote->finishing && !abandon)) return;
  if (m_zygote->state != Zygote::State::ready || abandon) {
    kill_zygote(*m_zygote, "the session ended");
  } else {
    finish(*m_zygote, false);
  }
}

}  // namespace hearth::server
