#include "server/program.hpp"

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

#include "process/children.hpp"
#include "server/run.hpp"
#include "server/text.hpp"
#include "worker.pb.h"

namespace hearth::server {
using protocol::TestStatus;
namespace {

constexpr std::uint32_t channel_version = 1;
constexpr int max_losses = 10;
constexpr int max_failed_starts = 2;
constexpr auto watch_after = std::chrono::milliseconds(4);
constexpr auto unresponsive_after = std::chrono::seconds(10);

protocol::ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// Of a time limit in seconds, as the worker channel has it; what is no sensible one is none.
std::chrono::milliseconds milliseconds_of(double seconds) {
  constexpr double most = 1e9;
  return std::chrono::milliseconds(seconds > 0 && seconds < most ? static_cast<std::int64_t>(seconds * 1000) : 0);
}

protocol::Timestamp at(std::uint64_t nanoseconds) {
  return protocol::Timestamp(std::chrono::nanoseconds(nanoseconds));
}

}  // namespace

std::uint64_t next_execution() {
  static std::uint64_t last = 0;
  return ++last;
}

Program::Program(asio::io_context& io, ProgramSpec spec, const ServeOptions& options, Orphans& orphans,
                 ProgramEvents& events)
    : m_io(io),
      m_spec(std::move(spec)),
      m_options(options),
      m_orphans(orphans),
      m_events(events),
      m_catalog(m_spec.name),
      m_load_id(m_spec.name + ".load") {}

// ---- loading ------------------------------------------------------------------------------------------

void Program::start() {
  const std::uint64_t mark = next_execution();
  auto spawned = spawn(m_spec, {m_options.cwd, m_options.environment}, mark);
  if (!spawned) return fail_to_load(spawned.error().text());
  m_orphans.started(spawned->pid);
  m_zygote = std::make_unique<Zygote>(
      m_io, std::move(spawned->channel), std::move(spawned->out), std::move(spawned->err),
      [this](Zygote& zygote, const worker::FromZygote& message) { on_message(zygote, message); },
      [this](Zygote& zygote) { on_closed(zygote); });
  m_zygote->pid = spawned->pid;
  m_zygote->mark = mark;
}

void Program::on_message(Zygote& zygote, const worker::FromZygote& message) {
  switch (message.message_case()) {
    case worker::FromZygote::kHello: return on_hello(zygote, message.hello());
    case worker::FromZygote::kTests:
      if (m_listed) return;
      for (const worker::Test& test : message.tests().test()) {
        m_catalog.add(test.name(), test.suite(), test.hidden(), test.suite_process(), milliseconds_of(test.time_limit()));
      }
      return;
    case worker::FromZygote::kReady: return on_ready(zygote, message.ready());
    case worker::FromZygote::kStarted: return on_started(message.started());
    case worker::FromZygote::kEnded: return on_ended(message.ended());
    case worker::FromZygote::kRefused: return on_refused(message.refused());
    case worker::FromZygote::kClosed:
      zygote.closing_failure = as_text(message.closed().failure());
      return;
    default: return;  // from a later version
  }
}

void Program::on_hello(Zygote& zygote, const worker::Hello& hello) {
  zygote.state = Zygote::State::greeted;
  zygote.framework = as_text(hello.framework() + ' ' + hello.framework_version());
  if (hello.min_version() > channel_version || hello.max_version() < channel_version) {
    return kill_zygote(zygote, "its adapter speaks versions " + std::to_string(hello.min_version()) + " to " +
                                   std::to_string(hello.max_version()) +
                                   " of the worker channel and this server version " +
                                   std::to_string(channel_version) + ": build it with this Hearth's adapter");
  }
  worker::ToZygote welcome;
  welcome.mutable_welcome()->set_version(channel_version);
  welcome.mutable_welcome()->set_describe_tests(!m_listed);
  zygote.channel.send(welcome);
}

void Program::on_ready(Zygote& zygote, const worker::Ready& ready) {
  zygote.state = Zygote::State::ready;
  zygote.was_ready = true;
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
    execution.begin(std::chrono::system_clock::now(), std::chrono::steady_clock::now());
    return zygote.channel.send(message, execution.take_theirs());
  }
  m_failed_starts = 0;
  m_trouble = as_text(ready.set_up_failure());
  m_skipped = ready.set_up_skipped();
  if (!m_trouble.empty() && !m_skipped) m_trouble = "The program's global set-up failed:\n" + m_trouble;
  if (ready.mode() == worker::Ready::EXEC) {
    m_runs_single = true;
    if (!m_listed) {
      m_events.log("program " + m_spec.name + " is started anew for each of its tests: " + as_text(ready.why()));
    }
    finish(zygote, false);
  }
  settle();
  dispatch_waiting();
}

void Program::settle() {
  if (m_listed) return;
  m_listed = true;
  m_events.settled(*this);
}

void Program::fail_to_load(const std::string& cause) {
  m_events.log("program " + m_spec.name + " cannot be served: " + cause.substr(0, cause.find('\n')));
  if (m_listed) {
    m_trouble = "The program could not be started again: " + cause;
    return dispatch_waiting();
  }
  m_catalog.clear();
  m_load_failure = cause;
  m_events.settled(*this);
}

// How a process that should have stayed ended, with its last words.
std::string Program::account_of(Zygote& zygote, int wait_status) const {
  std::string account = m_spec.path;
  const bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
  if (killed && !zygote.killed_because.empty()) {
    account += " was killed: " + zygote.killed_because + '.';
  } else {
    account += ' ' + describe_wait_status(wait_status);
    if (killed && zygote.killed_for_silence) {
      account += ", its channel to the server closed (by itself, with a descriptor that was not its own, or by "
                 "whoever killed it),";
    }
    if (zygote.framework.empty()) {
      account +=
          " without a word from a Hearth adapter. Is it a test program, built with the flags of `pkg-config "
          "hearth-googletest`, hearth-doctest or hearth-cppunit?";
    } else {
      account += " before it had reached its first test.";
    }
  }
  return account + '\n' + zygote.output.text();
}

// ---- ends of processes --------------------------------------------------------------------------------

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
  return false;
}

// A warm process that stops would take every test that is to come with it.
void Program::process_stopped(pid_t pid) {
  if (!m_zygote || m_zygote->pid != pid) return;
  m_events.log("program " + m_spec.name + ": its warm process was stopped, and is told to go on");
  kill(pid, SIGCONT);
}

// The channel is closed: the process ends, now or by our hand; process_ended() goes on. A single test's closes
// its channel in the ordinary course.
void Program::on_closed(Zygote& zygote) {
  if (&zygote == m_zygote.get()) {
    if (m_shutting_down || zygote.finishing) return;
    zygote.killed_for_silence = true;
    kill_zygote(zygote, "");
  } else if (Suite* const suite = suite_of(zygote); suite != nullptr && !zygote.finishing) {
    kill_suite(*suite);
  }
}

void Program::zygote_lost(int wait_status) {
  Zygote& zygote = *m_zygote;
  const bool expected = m_shutting_down || zygote.finishing;
  const std::string account = account_of(zygote, wait_status);
  if (expected && !zygote.closing_failure.empty()) {
    m_events.log("program " + m_spec.name + ": its global tear-down failed:\n" + zygote.closing_failure);
  } else if (expected && wait_status != 0 && zygote.killed_because.empty()) {
    m_events.log("program " + m_spec.name + ": its tear-down " + describe_wait_status(wait_status));
  }
  bury(std::move(m_zygote));
  if (expected) return;
  if (!m_listed) return fail_to_load(account);
  const std::string cause = "The program's warm process " + describe_wait_status(wait_status);
  reset_suites();
  lose_executions(zygote, cause);
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
  Evidence evidence;
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
  if (job.suspect || m_shutting_down) {
    Evidence evidence;
    evidence.trouble = cause + " while this test ran, alone.";
    return end_job(std::move(job), evidence);
  }
  job.suspect = true;
  if (job.execution) {
    auto pipes = make_execution_pipes();
    if (!pipes) {
      Evidence evidence;
      evidence.trouble = cause + ", and the test could not be started again: " + pipes.error().text();
      return end_job(std::move(job), evidence);
    }
    job.execution->restart(std::move(*pipes), cause);
  }
  m_suspects.push_back(std::move(job));
}

// ---- jobs ---------------------------------------------------------------------------------------------

void Program::expect(std::uint32_t test) {
  if (m_catalog[test].suite_process) ++m_suites[m_catalog[test].suite].expected;
}

void Program::run(Job job) {
  m_waiting.push_back(std::move(job));
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
  return !m_trouble.empty() || m_runs_single || (m_zygote && m_zygote->state == Zygote::State::ready);
}

// Nothing goes on that could take the warm process along.
bool Program::is_quiet() const {
  return m_running.empty() && std::all_of(m_suites.begin(), m_suites.end(), [](const auto& entry) {
    const Suite& suite = entry.second;
    return !suite.zygote || (suite.zygote->was_ready && !suite.zygote->finishing);
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
  } else if (m_runs_single) {
    run_single(std::move(job));
  } else if (m_catalog[job.test].suite_process) {
    run_in_suite(std::move(job));
  } else {
    launch(std::move(job), *m_zygote);
  }
}

// The execution's server side; 0 where it could not be made: then the job is over.
std::uint64_t Program::prepare(Job job, Zygote* zygote) {
  if (!job.execution) {
    auto pipes = make_execution_pipes();
    if (!pipes) {
      end_unstarted(job, TestStatus::fail, "The test could not be started: " + pipes.error().text());
      return 0;
    }
    job.execution = std::make_unique<Execution>(job.target, std::move(*pipes), m_options.output_limit);
  }
  const std::uint64_t id = next_execution();
  m_running.emplace(id, Running{std::move(job), zygote, 0, std::chrono::steady_clock::now(), {}, {}, false});
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
  auto spawned = spawn(m_spec, {m_options.cwd, m_options.environment}, id);
  if (!spawned) {
    Evidence evidence;
    evidence.trouble = "The test could not be started: " + spawned.error().text();
    return end_execution(id, evidence);
  }
  m_orphans.started(spawned->pid);
  auto zygote = std::make_unique<Zygote>(
      m_io, std::move(spawned->channel), std::move(spawned->out), std::move(spawned->err),
      [this](Zygote& from, const worker::FromZygote& message) { on_message(from, message); },
      [this](Zygote& from) { on_closed(from); });
  zygote->pid = spawned->pid;
  zygote->execution = id;
  zygote->mark = id;
  m_running.at(id).zygote = zygote.get();
  m_running.at(id).pid = zygote->pid;
  m_singles.emplace(id, std::move(zygote));
}

void Program::on_started(const worker::Started& started) {
  if (const auto running = m_running.find(started.execution()); running != m_running.end()) {
    running->second.pid = static_cast<pid_t>(started.pid());
    running->second.job.execution->begin(at(started.when()), std::chrono::steady_clock::now());
  } else if (Suite* const suite = suite_of(started.execution())) {
    suite->zygote->pid = static_cast<pid_t>(started.pid());
  }
}

void Program::on_ended(const worker::Ended& ended) {
  if (!m_running.contains(ended.execution())) {
    if (Suite* const suite = suite_of(ended.execution())) {
      suite->zygote->channel.read_now();
      suite_ended(*suite, ended.wait_status());
    }
    return;
  }
  m_losses = 0;
  Evidence evidence;
  evidence.wait_status = ended.wait_status();
  for (const worker::Leftover& left : ended.leftover()) {
    evidence.left.push_back({left.pid(), as_text(left.command())});
  }
  end_execution(ended.execution(), evidence);
}

void Program::on_refused(const worker::Refused& refused) {
  if (Suite* const suite = suite_of(refused.execution())) {
    suite->zygote->killed_because = as_text(refused.why());
    return suite_ended(*suite, 0);
  }
  Evidence evidence;
  evidence.trouble = "The test could not be started: " + as_text(refused.why()) + '.';
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
  session->attach(ordinal, id, status == TestStatus::skip ? "reason" : "traceback", "text/plain;charset=utf8",
                  bytes_of(text), true);
  session->finished(ordinal, id, status, std::chrono::system_clock::now());
  over(job);
}

void Program::over(const Job& job) {
  if (job.suspect) m_suspect_runs = false;
  if (m_catalog[job.test].suite_process) {
    Suite& suite = m_suites[m_catalog[job.test].suite];
    suite.last_run = job.run;
    suite.last_target = job.target;
    suite.last_test = job.test;
    if (--suite.expected == 0) close_suite(suite);
  }
  m_events.job_over(*this, job);
  dispatch_waiting();
}

// ---- suites -------------------------------------------------------------------------------------------

Program::Suite* Program::suite_of(const Zygote& zygote) { return suite_of(zygote.execution); }

Program::Suite* Program::suite_of(std::uint64_t execution) {
  for (auto& [index, suite] : m_suites) {
    if (suite.zygote && execution != 0 && suite.zygote->execution == execution) return &suite;
  }
  return nullptr;
}

void Program::run_in_suite(Job job) {
  Suite& suite = m_suites[m_catalog[job.test].suite];
  if (!suite.trouble.empty()) {
    if (suite.skipped) return end_unstarted(job, TestStatus::skip, suite.trouble);
    Evidence evidence;
    evidence.trouble = suite.trouble;
    end_job(std::move(job), evidence);
  } else if (suite.zygote && suite.zygote->state == Zygote::State::ready && !suite.zygote->finishing) {
    launch(std::move(job), *suite.zygote);
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
  suite.zygote = std::make_unique<Zygote>(
      m_io, std::move(pipes->report.ours), std::move(pipes->out.ours), std::move(pipes->err.ours),
      [this](Zygote& zygote, const worker::FromZygote& message) { on_message(zygote, message); },
      [this](Zygote& zygote) { on_closed(zygote); });
  suite.zygote->execution = next_execution();
  suite.zygote->framework = m_zygote->framework;
  worker::ToZygote message;
  worker::StartSuite& start = *message.mutable_start_suite();
  start.set_execution(suite.zygote->execution);
  start.set_test(test);
  start.set_name(std::string(m_catalog.name_of(test)));
  std::vector<UniqueFd> theirs;
  theirs.push_back(std::move(pipes->report.theirs));
  theirs.push_back(std::move(pipes->out.theirs));
  theirs.push_back(std::move(pipes->err.theirs));
  m_zygote->channel.send(message, std::move(theirs));
}

void Program::on_suite_ready(Suite& suite, const worker::Ready& ready) {
  if (ready.mode() == worker::Ready::EXEC) {
    suite.trouble = "The suite's set-up started threads, so that its tests cannot be forked from it: " +
                    as_text(ready.why()) + '.';
  } else if (!ready.set_up_failure().empty()) {
    suite.skipped = ready.set_up_skipped();
    suite.trouble = (suite.skipped ? "" : "The set-up of the test's suite failed:\n") +
                    as_text(ready.set_up_failure());
  }
  requeue(suite.waiting);
  dispatch_waiting();
}

void Program::suite_ended(Suite& suite, int wait_status) {
  Zygote& ended = *suite.zygote;
  std::string how = describe_wait_status(wait_status);
  if (!ended.killed_because.empty()) how = "was killed: " + ended.killed_because;
  bury(std::move(suite.zygote));
  if (ended.finishing) {
    std::string failure = ended.closing_failure;
    if (failure.empty() && wait_status != 0) failure = "The suite's process " + how + ".\n" + ended.output.text();
    if (!failure.empty()) report_tear_down(suite, failure);
    m_events.closing_suite(suite.last_run, false);
  } else if (!ended.was_ready) {
    suite.trouble =
        "The set-up of the test's suite did not end: its process " + how + ".\n" + ended.output.text();
  } else {
    lose_executions(ended, "The process of the test's suite " + how);
  }
  requeue(suite.waiting);
  dispatch_waiting();
}

// Nobody expects an execution in the suite any more.
void Program::close_suite(Suite& suite) {
  suite.trouble.clear();
  suite.skipped = false;
  if (!suite.zygote || suite.zygote->finishing) return;
  m_events.closing_suite(suite.last_run, true);
  suite.zygote->since = std::chrono::steady_clock::now();
  finish(*suite.zygote, false);
}

void Program::report_tear_down(const Suite& suite, const std::string& failure) {
  const std::string name = m_catalog.suite_name(m_catalog[suite.last_test].suite) + ".teardown";
  std::string id = make_test_id(m_spec.name, name);
  for (int number = 2; m_catalog.find(id); ++number) {
    id = make_test_id(m_spec.name, name + " #" + std::to_string(number));
  }
  const auto& [session, ordinal, test_id] = suite.last_target;
  const auto now = std::chrono::system_clock::now();
  session->started(ordinal, id, now);
  session->attach(ordinal, id, "traceback", "text/plain;charset=utf8",
                  bytes_of("The suite's tear-down failed:\n" + failure), true);
  session->finished(ordinal, id, TestStatus::fail, now);
}

// The program's warm process is gone, and its suites' with it. One that was setting up is as suspect as a test.
void Program::reset_suites() {
  const std::string cause = "The program's warm process ended, and the suite's with it,";
  for (auto& [index, suite] : m_suites) {
    if (!suite.zygote) continue;
    Zygote& zygote = *suite.zygote;
    zygote.channel.read_now();  // what has ended has ended
    bury(std::move(suite.zygote));
    if (zygote.finishing) m_events.closing_suite(suite.last_run, false);
    lose_executions(zygote, cause);
    if (zygote.was_ready) {
      requeue(suite.waiting);
      continue;
    }
    for (Job& job : std::exchange(suite.waiting, {})) {
      if (job.suspect) suite.trouble = "The program's warm process ended while the test's suite was set up, alone.";
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

// ---- time ---------------------------------------------------------------------------------------------

void Program::tick(SteadyTime now) {
  for (auto& [id, running] : m_running) check_time(id, running, now);
  if (m_zygote) check_loading(*m_zygote, now);
  for (auto& [id, zygote] : m_singles) check_loading(*zygote, now);
  for (auto& [index, suite] : m_suites) {
    if (suite.zygote) check_suite(suite, now);
  }
}

void Program::check_time(std::uint64_t id, Running& running, SteadyTime now) {
  Execution& execution = *running.job.execution;
  const auto begun = execution.begun_at();
  const bool single = m_singles.contains(id);
  if (!begun) {
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

// The server's limit, or the test's own where that is tighter; 0: none, which the server's says for all.
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
    if (process::marker_of(running.pid) == id) {
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
  if (zygote.was_ready || !zygote.killed_because.empty() || now - zygote.since < m_options.load_timeout) return;
  kill_zygote(zygote, "it was not ready to run tests within " + describe_time(m_options.load_timeout) +
                          (zygote.framework.empty() ? ", and no word came from a Hearth adapter" : ""));
}

// A suite's set-up or tear-down takes as long as a test may.
void Program::check_suite(Suite& suite, SteadyTime now) {
  Zygote& zygote = *suite.zygote;
  const bool busy = !zygote.was_ready || zygote.finishing;
  if (!busy || m_options.timeout.count() == 0) return;
  if (!zygote.killed_because.empty()) {
    // Nobody says that it has ended: the program's warm process is stuck.
    if (m_zygote && now - zygote.since > unresponsive_after) kill_zygote(*m_zygote, "it did not answer");
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

// ---- the end ------------------------------------------------------------------------------------------

void Program::add_live(std::unordered_set<std::uint64_t>& marks) const {
  if (m_zygote) marks.insert(m_zygote->mark);
  for (const auto& [id, running] : m_running) marks.insert(id);
  for (const auto& [index, suite] : m_suites) {
    if (suite.zygote) marks.insert(suite.zygote->execution);
  }
}

void Program::shut_down(bool abandon) {
  m_shutting_down = true;
  for (auto& [id, zygote] : m_singles) kill_zygote(*zygote, "the session ended");
  if (!m_zygote) return;
  if (m_zygote->state != Zygote::State::ready || abandon) {
    kill_zygote(*m_zygote, "the session ended");
  } else {
    finish(*m_zygote, false);
  }
}

}  // namespace hearth::server
