#include "server/schedule.hpp"

#include <algorithm>
#include <cstdio>
#include <unordered_set>

#include "server/cpu_limit.hpp"

namespace hearth::server {
using protocol::TestStatus;
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(5);

void send_failure(protocol::ServerSession& session, std::uint64_t ordinal, std::string_view id,
                  std::string_view text) {
  const auto now = std::chrono::system_clock::now();
  session.attach(ordinal, id, "traceback", "text/plain;charset=utf8",
                 {reinterpret_cast<const std::byte*>(text.data()), text.size()}, true);
  session.finished(ordinal, id, TestStatus::fail, now);
}

void leave_out_repeated(std::vector<std::string>& ids) {
  std::unordered_set<std::string> seen;
  std::erase_if(ids, [&](const std::string& id) { return !seen.insert(id).second; });
}

}  // namespace

Schedule::Schedule(asio::io_context& io, const ServeOptions& options, std::vector<ProgramSpec> specs,
                   Orphans& orphans)
    : m_io(io),
      m_jobs(options.jobs != 0 ? options.jobs : usable_cpus()),
      m_orphans(orphans),
      m_tick(io) {
  for (ProgramSpec& spec : specs) {
    m_programs.push_back(std::make_unique<Program>(io, std::move(spec), options, orphans, *this));
  }
}

void Schedule::start_programs() {
  for (const auto& program : m_programs) program->start();
  tick();
}

void Schedule::list(protocol::ServerSession& session, protocol::ListRequested request) {
  if (request.tests) leave_out_repeated(*request.tests);
  accept(std::make_unique<Run>(Run::Kind::list, session, request.ordinal, std::move(request.tests)));
}

void Schedule::run(protocol::ServerSession& session, protocol::RunRequested request) {
  accept(std::make_unique<Run>(Run::Kind::run, session, request.ordinal, std::move(request.tests)));
}

void Schedule::accept(std::unique_ptr<Run> accepted) {
  Run& run = *accepted;
  m_runs.push_back(std::move(accepted));
  for (const auto& program : m_programs) {
    if (program->is_settled()) resolve(run, *program);
  }
  if (all_settled()) resolve_rest(run);
  fill_soon();
  if (!m_ticking) tick();
  finish_if_over(run);
}

// ---- ids ----------------------------------------------------------------------------------------------

void Schedule::settled(Program& program) {
  for (const auto& run : m_runs) resolve(*run, program);
  if (all_settled()) {
    for (const auto& run : m_runs) resolve_rest(*run);
  }
  // Not in this call: a Run that is over is destroyed.
  fill_soon();
}

bool Schedule::all_settled() const {
  return std::all_of(m_programs.begin(), m_programs.end(),
                     [](const auto& program) { return program->is_settled(); });
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
    const bool may_be_its = id.size() > program.name().size() && id.starts_with(program.name()) &&
                            id[program.name().size()] == '.';
    if (!may_be_its || (run.is_list() && !is_load)) return false;
    run.answer({&program, Answer::no_index, id});
    return true;
  }
  const auto test = program.catalog().find(id);
  if (!test) return false;
  if (run.is_list()) {
    run.answer({&program, *test, {}});
  } else {
    program.expect(*test);
    run.queue({&program, *test});
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
  while (may_start()) {
    const auto answer = run.take_answer();
    if (!answer) return;
    answer_one(run, *answer);
  }
}

void Schedule::answer_one(Run& run, const Answer& answer) {
  if (run.is_list()) {
    const bool in_catalog = answer.test != Answer::no_index;
    run.session().exists(run.ordinal(), in_catalog ? answer.program->catalog()[answer.test].id : answer.id);
  } else if (answer.program != nullptr) {
    send_failure(run.session(), run.ordinal(), answer.id,
                 "The program cannot be served: " + answer.program->load_failure());
  } else {
    send_failure(run.session(), run.ordinal(), answer.id,
                 "This server has no test of that id. List shows the tests it has.\n");
  }
}

// ---- slots --------------------------------------------------------------------------------------------

void Schedule::fill_soon() {
  if (std::exchange(m_fill_posted, true)) return;
  asio::post(m_io, [this] {
    m_fill_posted = false;
    fill();
  });
}

void Schedule::fill() {
  if (m_ended) return;
  for (const auto& run : m_runs) answer(*run);
  while (m_busy.size() < m_jobs && may_start() && start_one()) {
  }
  for (auto at = m_runs.begin(); at != m_runs.end();) {
    Run& run = **at++;
    finish_if_over(run);
  }
}

// Each Run in its turn; a test that runs already waits.
bool Schedule::start_one() {
  for (auto turn = m_runs.begin(); turn != m_runs.end(); ++turn) {
    Run& run = **turn;
    const auto test = run.take(
        [this](const QueuedTest& queued) { return !m_busy.contains({queued.program, queued.test}); });
    if (!test) continue;
    m_runs.splice(m_runs.end(), m_runs, turn);
    m_busy.insert({test->program, test->test});
    const std::string& id = test->program->catalog()[test->test].id;
    test->program->run({&run, {&run.session(), run.ordinal(), id}, test->test});
    return true;
  }
  return false;
}

void Schedule::job_over(const Program& program, const Job& job) {
  m_busy.erase({&program, job.test});
  job.run->one_over();
  fill_soon();
}

void Schedule::closing_suite(Run* run, bool begins) {
  run->hold(begins);
  fill_soon();
}

void Schedule::finish_if_over(Run& run) {
  if (!run.is_over() || (run.wants_all() && !all_settled())) return;
  run.session().done(run.ordinal());
  std::erase_if(m_runs, [&](const auto& one) { return one.get() == &run; });
}

// ---- time and processes -------------------------------------------------------------------------------

void Schedule::tick() {
  m_ticking = !m_ended && (!m_runs.empty() || !all_settled());
  if (!m_ticking) return;
  const auto now = std::chrono::steady_clock::now();
  for (const auto& program : m_programs) program->tick(now);
  m_tick.expires_after(tick_interval);
  m_tick.async_wait([this](ErrorCode error) {
    if (!error) tick();
  });
}

void Schedule::process_ended(pid_t pid, int wait_status, const rusage& usage) {
  for (const auto& program : m_programs) {
    if (program->process_ended(pid, wait_status, usage)) break;
  }
}

void Schedule::process_stopped(pid_t pid) {
  for (const auto& program : m_programs) program->process_stopped(pid);
}

void Schedule::kill_strays() {
  std::unordered_set<std::uint64_t> live;
  for (const auto& program : m_programs) program->add_live(live);
  m_orphans.kill_strays(live, !m_busy.empty());
}

bool Schedule::has_processes() const {
  return std::any_of(m_programs.begin(), m_programs.end(),
                     [](const auto& program) { return program->has_processes(); });
}

void Schedule::shut_down(bool abandon) {
  m_ended = true;
  for (const auto& program : m_programs) program->shut_down(abandon);
}

void Schedule::log(const std::string& line) { std::fprintf(stderr, "hearth: %s\n", line.c_str()); }

}  // namespace hearth::server
