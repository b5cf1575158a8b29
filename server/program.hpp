// One served program: its warm process, the processes of its suites, and the executions of its tests. It loads
// the program, lists it, runs what it is given, and starts it again when it is lost, a bounded number of times.
//
// Everything happens in the event loop. Results go straight to the job's session; the owner is told when a
// job is over.
#pragma once

#include <sys/resource.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "server/catalog.hpp"
#include "server/execution.hpp"
#include "server/orphans.hpp"
#include "server/program_spec.hpp"
#include "server/serve.hpp"
#include "server/zygote.hpp"

namespace hearth::worker {
class Ended;
class Hello;
class Ready;
class Refused;
class Started;
}  // namespace hearth::worker

namespace hearth::server {

class Run;

// One execution that a Run asks for.
struct Job {
  Run* run;
  ResultTarget target;
  std::uint32_t test;  // index in the program's catalog
  int attempts = 0;    // how often it was lost with its zygote
};

class Program;
struct ProgramEvents {
  virtual void settled(Program& program) = 0;  // it is listed, or cannot be served
  virtual void job_over(const Program& program, const Job& job) = 0;
  // A suite's tear-down is going on for the Run (true), or over (false).
  virtual void closing_suite(Run* run, bool begins) = 0;
  virtual void log(const std::string& line) = 0;

 protected:
  ~ProgramEvents() = default;
};

class Program {
 public:
  Program(asio::io_context& io, ProgramSpec spec, const ServeOptions& options, Orphans& orphans,
          ProgramEvents& events);

  void start();
  [[nodiscard]] bool is_settled() const { return m_listed || !m_load_failure.empty(); }
  // Empty: it can be served. Otherwise its one test is `<program>.load`, and this is its failure.
  [[nodiscard]] const std::string& load_failure() const { return m_load_failure; }
  [[nodiscard]] const std::string& load_id() const { return m_load_id; }
  [[nodiscard]] const std::string& name() const { return m_spec.name; }
  [[nodiscard]] const Catalog& catalog() const { return m_catalog; }

  // Announces that a Run will have the test executed: its suite's process is kept until it has been.
  void expect(std::uint32_t test);
  void run(Job job);

  // True: the process was one of this program's.
  bool process_ended(pid_t pid, int wait_status, const rusage& usage);
  void tick(SteadyTime now);
  void add_running(std::unordered_set<std::uint64_t>& executions) const;
  [[nodiscard]] bool has_processes() const { return m_zygote != nullptr || !m_singles.empty(); }
  // Tear-down where nothing runs; else, or where `abandon`, an end without.
  void shut_down(bool abandon);

 private:
  struct Running {
    Job job;
    std::unique_ptr<Execution> execution;
    Zygote* zygote;
    SteadyTime asked;
    std::optional<SteadyTime> terminated;  // when TERM was sent
    bool killed = false;
  };
  struct Suite {
    std::size_t expected = 0;  // executions that are still to come
    std::unique_ptr<Zygote> zygote;
    std::deque<Job> waiting;
    std::string trouble;      // why its set-up gave nothing to run in
    bool skipped = false;     // it asked for its tests to be skipped; `trouble` says why
    std::optional<Job> last;  // whose Run waits for the tear-down
  };

  void on_message(Zygote& zygote, const worker::FromZygote& message);
  void on_hello(Zygote& zygote, const worker::Hello& hello);
  void on_ready(Zygote& zygote, const worker::Ready& ready);
  void on_suite_ready(Suite& suite, const worker::Ready& ready);
  void on_started(const worker::Started& started);
  void on_ended(const worker::Ended& ended);
  void on_refused(const worker::Refused& refused);
  void on_closed(Zygote& zygote);

  void settle();
  void zygote_lost(int wait_status);
  void single_ended(Zygote& zygote, int wait_status);
  void fail_to_load(const std::string& cause);
  [[nodiscard]] std::string account_of(Zygote& zygote, int wait_status) const;

  void dispatch_waiting();
  void dispatch(Job job);
  std::uint64_t prepare(Job job, Zygote* zygote);
  void launch(Job job, Zygote& zygote);
  void run_single(Job job);
  void run_in_suite(Job job);
  void start_suite(Suite& suite, std::uint32_t test);
  void suite_ended(Suite& suite, int wait_status);
  void close_suite(Suite& suite);
  void report_tear_down(const Suite& suite, const std::string& failure);
  void reset_suites();
  [[nodiscard]] Suite* suite_of(const Zygote& zygote);
  [[nodiscard]] Suite* suite_of(std::uint64_t execution);

  void finish(Zygote& zygote, bool abandon);
  void lose_executions(const Zygote& zygote, const std::string& cause);
  void end_execution(std::uint64_t id, const Evidence& evidence);
  void end_unstarted(const Job& job, protocol::TestStatus status, const std::string& text);
  void over(const Job& job);
  void bury(std::unique_ptr<Zygote> zygote);

  void check_time(std::uint64_t id, Running& running, SteadyTime now);
  void check_loading(Zygote& zygote, SteadyTime now);
  void check_suite(Suite& suite, SteadyTime now);
  void signal_execution(std::uint64_t id, const Running& running, int signal);
  void kill_zygote(Zygote& zygote, const std::string& because);

  asio::io_context& m_io;
  ProgramSpec m_spec;
  const ServeOptions& m_options;
  Orphans& m_orphans;
  ProgramEvents& m_events;
  Catalog m_catalog;
  std::string m_load_id;
  std::string m_load_failure;
  bool m_listed = false;
  bool m_runs_single = false;  // it cannot be forked: started anew for each test
  bool m_shutting_down = false;
  std::string m_trouble;  // why no test can run: global set-up failed, or it was lost too often
  bool m_skipped = false;  // global set-up asked for a skip; m_trouble says why
  bool m_suspect_runs = false;
  int m_losses = 0;  // of the warm process, in a row without a test in between
  std::unique_ptr<Zygote> m_zygote;
  std::map<std::uint32_t, Suite> m_suites;
  std::map<std::uint64_t, std::unique_ptr<Zygote>> m_singles;
  std::map<std::uint64_t, Running> m_running;
  std::deque<Job> m_waiting;   // for the warm process
  std::deque<Job> m_suspects;  // ran when it was lost: each runs again, alone
};

// Never 0, never the same twice in this process: names executions of all programs.
std::uint64_t next_execution();

}  // namespace hearth::server
