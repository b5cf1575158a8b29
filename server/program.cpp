#include "server/program.hpp"

#include "server/text.hpp"
#include "worker.pb.h"

namespace hearth::server {
namespace {

constexpr std::uint32_t channel_version = 1;

// Of a time limit in seconds, as the worker channel has it; what is no sensible one is none.
std::chrono::milliseconds milliseconds_of(double seconds) {
  constexpr double most = 1e9;
  return std::chrono::milliseconds(seconds > 0 && seconds < most ? static_cast<std::int64_t>(seconds * 1000) : 0);
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
