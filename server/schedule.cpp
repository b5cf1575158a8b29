#include "server/schedule.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "protocol/rpc_packet.hpp"
#include "server/cpu_limit.hpp"
#include "server/session_io.hpp"
#include "server/test_id.hpp"

namespace hearth::server {
using protocol::TestStatus;
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(5);

void send_failure(protocol::ServerSession& session, std::uint64_t ordinal, std::string_view id,
                  std::string_view text) {
  const auto now = std::chrono::system_clock::now();
  session.attach(ordinal, id, "traceback", protocol::text_mime_type,
                 {reinterpret_cast<const std::byte*>(text.data()), text.size()}, true);
  session.finished(ordinal, id, TestStatus::fail, now);
}

void leave_out_repeated(std::vector<std::string>& ids) {
  std::unordered_set<std::string> seen;
  std::erase_if(ids, [&](const std::string& id) { return !seen.insert(id).second; });
}

}  // namespace

Schedule::Schedule(asio::io_context& io, const ServeOptions& options,
                   std::vector<ProgramSpec> specs, Orphans& orphans)
    : m_io(io),
      m_jobs(options.jobs != 0 ? options.jobs : usable_cpus()),
      m_isolation(options.isolation),
      m_exit_fails(options.exit_fails),
      m_orphans(orphans),
      m_programs(io, options, std::move(specs), orphans, *this,
                 [this](const Program& program) { return in_use(program); }),
      m_tick(io) {}

void Schedule::start_programs() {
  m_programs.start();
  tick();
}

void Schedule::list(protocol::ServerSession& session, protocol::ListRequested request) {
  if (request.tests) leave_out_repeated(*request.tests);
  accept(
      std::make_unique<Run>(Run::Kind::list, session, request.ordinal, std::move(request.tests)));
}

void Schedule::run(protocol::ServerSession& session, protocol::RunRequested request) {
  accept(std::make_unique<Run>(Run::Kind::run, session, request.ordinal, std::move(request.tests),
                               m_isolation == Isolation::none, request.exit));
}

void Schedule::accept(std::unique_ptr<Run> accepted) {
  if (m_ended) return;
  Run& run = *accepted;
  run.set_number(++m_last_number);
  m_runs.push_back(std::move(accepted));
  for (std::size_t place = 0; place < m_programs.size(); ++place) {
    if (!run.concerns(m_programs[place].name())) continue;
    run.await(place);
    m_programs.asked(place, run);
  }
  fill_soon();  // there: one look at the files for all that come together
  if (!m_ticking) tick();
  finish_if_over(run);
}

// ---- ids

// Not in this call: a Run that is over is destroyed, and a program that has changed meanwhile is
// replaced.
void Schedule::settled(Program&) {
  fill_soon();
}

void Schedule::resolve_awaited() {
  if (std::none_of(m_runs.begin(), m_runs.end(),
                   [](const auto& run) { return run->is_unresolved(); }))
    return;
  for (std::size_t place = 0; place < m_programs.size(); ++place) {
    const bool awaited = std::any_of(m_runs.begin(), m_runs.end(),
                                     [&](const auto& run) { return run->awaits(place); });
    if (!awaited || !m_programs.is_current(place)) continue;
    for (const auto& run : m_runs) {
      if (!run->awaits(place)) continue;
      run->arrived(place, m_programs[place]);
      m_programs.answered(place, *run);
      resolve(*run, m_programs[place]);
    }
  }
  for (const auto& run : m_runs) {
    if (!run->awaits_any()) resolve_rest(*run);
  }
}

bool Schedule::in_use(const Program& program) const {
  return std::any_of(m_runs.begin(), m_runs.end(),
                     [&](const auto& run) { return run->uses(program); });
}

void Schedule::resolve(Run& run, Program& program) {
  if (!run.wants_all()) {
    std::erase_if(run.pending(), [&](const std::string& id) { return claim(run, program, id); });
  } else if (!program.load_failure().empty()) {
    run.answer({&program, Answer::no_index, program.load_id()});
  } else {
    for (std::uint32_t test = 0; test < program.catalog().size(); ++test) {
      const CatalogTest& known = program.catalog()[test];
      if (!known.hidden) claim(run, program, known.id);
    }
  }
}

// True: the id is this program's, and is answered or queued.
bool Schedule::claim(Run& run, Program& program, const std::string& id) {
  if (!program.load_failure().empty()) {
    const bool is_load = id == program.load_id();
    if (!may_be_of(program.name(), id) || (run.is_list() && !is_load)) return false;
    run.answer({&program, Answer::no_index, id});
    return true;
  }
  const auto test = program.catalog().find(id);
  if (!test) return false;
  if (run.is_list()) {
    run.answer({&program, *test, {}});
    return true;
  }
  program.expect(*test);
  if (program.catalog()[*test].kind == TestKind::test) {
    run.queue({&program, *test, {}});
  } else {
    run.queue_check({&program, *test, {}});
  }
  return true;
}

// No program has these.
void Schedule::resolve_rest(Run& run) {
  for (std::string& id : std::exchange(run.pending(), {})) {
    if (!run.is_list()) run.answer({nullptr, Answer::no_index, std::move(id)});
  }
}

void Schedule::answer(Run& run) {
  while (has_room(run.session())) {
    const auto answer = run.take_answer();
    if (!answer) return;
    answer_one(run, *answer);
  }
}

void Schedule::answer_one(Run& run, const Answer& answer) {
  if (run.is_list()) {
    const bool in_catalog = answer.test != Answer::no_index;
    run.session().exists(run.ordinal(),
                         in_catalog ? answer.program->catalog()[answer.test].id : answer.id);
  } else if (answer.program != nullptr) {
    send_failure(run.session(), run.ordinal(), answer.id,
                 "The program cannot be served: " + answer.program->load_failure());
  } else {
    send_failure(run.session(), run.ordinal(), answer.id,
                 "This server has no test of that id. List shows the tests it has.\n");
  }
}

// ---- slots

void Schedule::fill_soon() {
  if (std::exchange(m_fill_posted, true)) return;
  asio::post(m_io, [this] {
    m_fill_posted = false;
    fill();
  });
}

void Schedule::fill() {
  if (m_ended) return;
  resolve_awaited();
  for (const auto& run : m_runs) answer(*run);
  while (m_busy.size() < m_jobs && start_one()) {
  }
  for (const auto& run : m_runs) start_checks(*run);
  let_exit();
  for (auto at = m_runs.begin(); at != m_runs.end();) {
    Run& run = **at++;
    finish_if_over(run);
  }
  if (m_programs.any_replaced()) m_programs.let_go();
}

// With one test at a time suites do not overlap either, whatever the order of their tests: those of
// the suite that is set up come first, and while one tears down nothing starts. If no test of that
// suite can start (its client does not read), others may.
bool Schedule::start_one() {
  if (m_jobs > 1) return start_one_of(Choice::any);
  bool up = false;
  bool ending = false;
  m_programs.for_each([&](const Program& program) {
    up = up || program.has_suite_up();
    ending = ending || program.has_suite_ending();
  });
  if (ending) return false;
  if (!up) return start_one_of(Choice::any);
  return start_one_of(Choice::in_suite_up) || start_one_of(Choice::without_suite) ||
         start_one_of(Choice::any);
}

bool Schedule::may_start(const Run& run, const QueuedTest& queued, Choice choice) const {
  const Program& program = *queued.program;
  if (choice == Choice::in_suite_up && !program.is_suite_up(queued.test)) return false;
  if (choice == Choice::without_suite && program.needs_suite(queued.test)) return false;
  return !is_held_back(run, program) && program.takes(queued.test) &&
         !m_busy.contains(program.catalog()[queued.test].id);
}

// Each Run in its turn; a test that runs already waits, and so does one whose client does not read.
bool Schedule::start_one_of(Choice choice) {
  for (auto turn = m_runs.begin(); turn != m_runs.end(); ++turn) {
    Run& run = **turn;
    if (!has_room(run.session())) continue;
    const auto test =
        run.take([&](const QueuedTest& queued) { return may_start(run, queued, choice); });
    if (!test) continue;
    give_turn_to_others(turn);
    const std::string& id = test->program->catalog()[test->test].id;
    m_busy.insert(id);
    test->program->run({&run, {&run.session(), run.ordinal(), id}, test->test, test->next});
    return true;
  }
  return false;
}

// ---- checks, and the programs' ends

// They take no slot: what they wait for may need it.
void Schedule::start_checks(Run& run) {
  if (run.is_list() || run.is_cancelled() || !run.tests_are_over()) return;
  if (run.come_to_exits()) queue_exits(run);
  while (const auto check = run.take_check()) {
    Program& program = *check->program;
    const CatalogTest& known = program.catalog()[check->test];
    if (known.kind == TestKind::exit) m_exits.emplace(&program, m_last_number);
    program.run(
        {&run, {&run.session(), run.ordinal(), known.id}, check->test, {}, !check->asked_for});
  }
}

// Each program that the Run, or one before it in its session, ran tests of. While another Run of
// the session goes on in a program, it is for that one to do.
void Schedule::queue_exits(Run& run) {
  auto& owed = m_owed[&run.session()];
  for (const Program* const program : run.tested()) owed.insert(program->name());
  if (!run.exits() || !m_exit_fails) return;
  for (std::size_t place = 0; place < m_programs.size(); ++place) {
    Program& program = m_programs[place];
    if (!owed.contains(program.name()) || goes_on_beside(run, program)) continue;
    owed.erase(program.name());
    const auto check = program.catalog().exit_check();
    if (check && !run.has_check(program, *check)) run.queue_check({&program, *check, {}, false});
  }
}

bool Schedule::goes_on_beside(const Run& run, const Program& program) const {
  return std::any_of(m_runs.begin(), m_runs.end(), [&](const auto& other) {
    return other.get() != &run && &other->session() == &run.session() && other->exits() &&
           (other->uses(program) || other->is_unresolved()) && !other->tests_are_over();
  });
}

bool Schedule::is_held_back(const Run& run, const Program& program) const {
  const auto exit = m_exits.find(&program);
  return exit != m_exits.end() && run.number() > exit->second;
}

void Schedule::let_exit() {
  std::erase_if(m_exits, [](const auto& exit) { return !exit.first->is_to_exit(); });
  m_programs.for_each([&](Program& program) {
    const auto exit = m_exits.find(&program);
    if (exit == m_exits.end()) return;
    const bool in_use = std::any_of(m_runs.begin(), m_runs.end(), [&](const auto& run) {
      return run->uses(program) && !run->tests_are_over() && !is_held_back(*run, program);
    });
    if (!in_use) program.exit_when_quiet();
  });
}

// To the end goes the Run, and before it the other Runs of its session.
void Schedule::give_turn_to_others(std::list<std::unique_ptr<Run>>::iterator run) {
  std::list<std::unique_ptr<Run>> last;
  last.splice(last.end(), m_runs, run);
  const protocol::ServerSession* const session = &last.front()->session();
  for (auto at = m_runs.begin(); at != m_runs.end();) {
    const auto one = at++;
    if (&(*one)->session() == session) last.splice(std::prev(last.end()), m_runs, one);
  }
  m_runs.splice(m_runs.end(), last);
}

void Schedule::job_over(const Program& program, const Job& job) {
  if (program.catalog()[job.test].kind == TestKind::test) {
    m_busy.erase(job.target.test_id);
    job.run->one_over(&program);
  } else {
    job.run->check_over();
  }
  fill_soon();
}

void Schedule::hold(Run* run, bool begins) {
  run->hold(begins);
  fill_soon();
}

void Schedule::finish_if_over(Run& run) {
  if (!run.is_over()) return;
  run.session().done(run.ordinal());
  std::erase_if(m_runs, [&](const auto& one) { return one.get() == &run; });
}

// ---- clients that have gone

void Schedule::cancel(const protocol::ServerSession& session) {
  m_owed.erase(&session);
  m_programs.left(session);
  for (const auto& run : m_runs) {
    if (&run->session() != &session) continue;
    for (const QueuedTest& queued : run->cancel()) {
      const std::string& id = queued.program->catalog()[queued.test].id;
      queued.program->expect_no_more(
          {run.get(), {&run->session(), run->ordinal(), id}, queued.test, {}});
    }
    m_programs.for_each([&](Program& program) {
      if (run->uses(program)) program.cancel(*run);
    });
  }
  fill_soon();
}

std::size_t Schedule::open(const protocol::ServerSession& session) const {
  return static_cast<std::size_t>(std::count_if(
      m_runs.begin(), m_runs.end(), [&](const auto& run) { return &run->session() == &session; }));
}

// ---- what is told of it

std::size_t Schedule::left(const protocol::ServerSession& session) const {
  std::size_t sum = 0;
  for (const auto& run : m_runs) {
    if (&run->session() == &session) sum += run->left();
  }
  return sum;
}

std::vector<ProgramState> Schedule::programs() const {
  std::vector<ProgramState> states;
  for (std::size_t place = 0; place < m_programs.size(); ++place)
    states.push_back(m_programs[place].state());
  return states;
}

std::vector<RunningTest> Schedule::running() const {
  std::vector<RunningTest> tests;
  m_programs.for_each([&](const Program& program) { program.add_running(tests); });
  return tests;
}

// ---- time and processes

void Schedule::tick() {
  m_ticking =
      !m_ended && (!m_runs.empty() || !m_programs.all_settled() || m_programs.any_replaced());
  if (!m_ticking) return;
  m_programs.tick(work_time());
  m_tick.expires_after(tick_interval);
  m_tick.async_wait([this](ErrorCode error) {
    if (!error) tick();
  });
}

void Schedule::process_ended(pid_t pid, int wait_status, const rusage& usage) {
  bool found = false;
  m_programs.for_each(
      [&](Program& program) { found = found || program.process_ended(pid, wait_status, usage); });
  if (m_programs.any_replaced()) fill_soon();
}

void Schedule::process_stopped(pid_t pid) {
  m_programs.for_each([&](Program& program) { program.process_stopped(pid); });
}

void Schedule::kill_strays() {
  std::unordered_set<std::uint64_t> live;
  m_programs.for_each([&](const Program& program) { program.add_live(live); });
  m_orphans.kill_strays(live, !m_busy.empty());
}

bool Schedule::has_processes() const {
  bool any = false;
  m_programs.for_each([&](const Program& program) { any = any || program.has_processes(); });
  return any;
}

void Schedule::shut_down(bool abandon) {
  m_ended = true;
  m_programs.shut_down(abandon);
}

void Schedule::log(const std::string& line) {
  std::fprintf(stderr, "hearth: %s\n", line.c_str());
}

}  // namespace hearth::server
