// One served program: its warm process, the processes of its suites, and the executions of its
// tests. It loads the program, lists it, runs what it is given, and starts it again when it is
// lost, a bounded number of times.
//
// One class in several files: program.cpp (loading), program_jobs, program_suites, program_shared,
// program_exit, program_losses, program_time. Everything happens in the event loop. Results go
// straight to the job's session; the owner is told when a job is over.
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
#include "server/program_identity.hpp"
#include "server/program_spec.hpp"
#include "server/serve.hpp"
#include "server/spawn.hpp"
#include "server/stacks.hpp"
#include "server/status.hpp"
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
  std::optional<std::uint32_t>
      next;              // without isolation: the program's test that the Run has after it
  bool silent = false;   // a check that nobody asked for: it is reported only if it fails
  bool suspect = false;  // its zygote was lost while it ran: it runs once more, alone
  std::unique_ptr<Execution> execution;  // from its first start on
};

// An execution that has begun.
struct RunningTest {
  const protocol::ServerSession* session;
  std::string_view id;
  protocol::Timestamp since;
};

class Program;
struct ProgramEvents {
  virtual void settled(Program& program) = 0;  // it is listed, or cannot be served
  virtual void job_over(const Program& program, const Job& job) = 0;
  virtual void takes_more() = 0;  // takes() may give true where it gave false
  // Something that can still give a result goes on for the Run (true), or is over (false): a
  // suite's tear-down, a shared process.
  virtual void hold(Run* run, bool begins) = 0;
  virtual void log(const std::string& line) = 0;

 protected:
  ~ProgramEvents() = default;
};

class Program {
 public:
  Program(asio::io_context& io, ProgramSpec spec, const ServeOptions& options, Orphans& orphans,
          ProgramEvents& events, std::uint64_t generation = 1);

  void start();
  [[nodiscard]] bool is_settled() const { return m_listed || !m_load_failure.empty(); }
  // Empty: it can be served. Otherwise its one test is `<program>.load`, and this is its failure.
  [[nodiscard]] const std::string& load_failure() const { return m_load_failure; }
  [[nodiscard]] const std::string& load_id() const { return m_load_id; }
  [[nodiscard]] const std::string& name() const { return m_spec.name; }
  [[nodiscard]] const ProgramSpec& spec() const { return m_spec; }
  // When that was known.
  [[nodiscard]] SteadyTime settled() const { return m_settled; }
  // How many there have been of it, with this one.
  [[nodiscard]] std::uint64_t generation() const { return m_generation; }
  // Where what it was started from is not what is there now: why, as in a log's line.
  [[nodiscard]] std::optional<std::string> changed();
  // The same; and where it cannot be served, or runs no test, that starting it again may help.
  [[nodiscard]] std::optional<std::string> why_afresh();
  [[nodiscard]] const Catalog& catalog() const { return m_catalog; }

  // Announces that a Run will have the test executed: its suite's process is kept until it has
  // been.
  void expect(std::uint32_t test);
  // An execution that was announced will not be asked for. The job has no execution.
  void expect_no_more(const Job& job);
  // False: one waits already for what has to be ready first. More would only take slots from
  // others; the owner is told when it is worth while to ask again.
  [[nodiscard]] bool takes(std::uint32_t test) const;
  void run(Job job);
  // Processes of suites: one stands ready or sets up; one tears down; the one of this test's suite
  // is not tearing down.
  [[nodiscard]] bool has_suite_up() const;
  [[nodiscard]] bool has_suite_ending() const;
  [[nodiscard]] bool is_suite_up(std::uint32_t test) const;
  [[nodiscard]] bool needs_suite(std::uint32_t test) const {
    return has_process_of_suite(test) && !m_runs_single;
  }
  // An exit check waits: when nothing else goes on in the program it is to go through its end.
  [[nodiscard]] bool is_to_exit() const { return !m_exits.empty(); }
  void exit_when_quiet();
  // The Run's client has gone: jobs that wait are over, processes that run for it alone are killed.
  void cancel(const Run& run);

  // True: the process was one of this program's.
  bool process_ended(pid_t pid, int wait_status, const rusage& usage);
  // The warm process is not to be stopped: it goes on.
  void process_stopped(pid_t pid);
  void tick(SteadyTime now);
  // The marks of its warm processes and of the executions that run.
  void add_live(std::unordered_set<std::uint64_t>& marks) const;
  [[nodiscard]] bool has_processes() const;
  [[nodiscard]] ProgramState state() const;
  void add_running(std::vector<RunningTest>& tests) const;
  // Tear-down where nothing runs; else, or where `abandon`, an end without.
  void shut_down(bool abandon);

 private:
  struct Running {
    Job job;
    Zygote* zygote;
    pid_t pid;  // 0: not known yet
    SteadyTime asked;
    std::unique_ptr<StackReader> stacks;   // while they are read, after the time limit
    std::optional<SteadyTime> terminated;  // when TERM was sent
    bool killed = false;
  };
  struct Suite {
    std::size_t expected = 0;  // executions that are still to come
    std::unique_ptr<Zygote> zygote;
    std::deque<Job> waiting;
    std::string trouble;      // why its set-up gave nothing to run in
    bool skipped = false;     // it asked for its tests to be skipped; `trouble` says why
    std::deque<Job> checks;   // of its tear-down
    Run* last_run = nullptr;  // of the last test that ended: it waits for the tear-down
    ResultTarget last_target{};
    std::uint32_t last_test = 0;
  };

  // Without isolation: the process in which a Run's tests of this program run, one after the other.
  struct Shared {
    Run* run = nullptr;
    std::unique_ptr<Zygote> zygote;
    bool spawned = false;  // started for it, since the program cannot be forked; else a fork of the
                           // warm process
    std::optional<Job> waiting;  // for its first or next Ready
    bool parked = false;         // it has said Ready, and was given nothing since
    std::size_t ended = 0;       // tests
    ResultTarget last_target{};
    std::uint32_t last_test = 0;
  };

  void on_message(Zygote& zygote, const worker::FromZygote& message);
  void on_hello(Zygote& zygote, const worker::Hello& hello);
  void on_second_hello(Zygote& zygote, const worker::Hello& hello);
  void on_ready(Zygote& zygote, const worker::Ready& ready);
  void on_suite_ready(Suite& suite, const worker::Ready& ready);
  void on_started(const Zygote& zygote, const worker::Started& started);
  void on_ended(const Zygote& zygote, const worker::Ended& ended);
  void on_refused(const worker::Refused& refused);
  void on_closed(Zygote& zygote);
  bool hand_on(std::string_view line);
  void hand_on_unclaimed();
  void on_line(Zygote& zygote, std::string_view line);

  [[nodiscard]] std::unique_ptr<Zygote> make_zygote(UniqueFd channel, UniqueFd out, UniqueFd err);
  [[nodiscard]] Counts counts_of_next() const;
  void settle();
  void note_files(const Zygote& zygote);
  void zygote_lost(int wait_status);
  void start_again(const std::string& cause, const std::string& account);
  void single_ended(Zygote& zygote, int wait_status);
  void fail_to_load(const std::string& cause);
  [[nodiscard]] std::string account_of(Zygote& zygote, int wait_status) const;

  void dispatch_waiting();
  [[nodiscard]] std::optional<Job> next_job();
  [[nodiscard]] bool can_dispatch() const;
  [[nodiscard]] bool is_quiet() const;
  void requeue(std::deque<Job>& jobs);
  void dispatch(Job job);
  std::uint64_t prepare(Job job, Zygote* zygote);
  void launch(Job job, Zygote& zygote);
  void run_single(Job job);
  void run_in_suite(Job job);
  void start_suite(Suite& suite, std::uint32_t test);
  void suite_ended(Suite& suite, int wait_status);
  void close_suite(Suite& suite);
  void report_tear_down(const ResultTarget& target, std::uint32_t suite,
                        const std::string& failure);
  void end_check(const Job& job, const std::string& failure);
  void end_suite_checks(Suite& suite, const std::string& failure);
  [[nodiscard]] bool close_idle_suites();
  void check_exit(SteadyTime now);
  void exited(int wait_status);
  void end_exits(const std::string& failure);
  [[nodiscard]] bool has_process_of_suite(std::uint32_t test) const;
  void reset_suites();
  [[nodiscard]] Suite* suite_of(const Zygote& zygote);
  [[nodiscard]] Suite* suite_of(std::uint64_t execution);
  void kill_suite(Suite& suite);

  void run_shared(Job job);
  void start_shared(Job job);
  [[nodiscard]] Expected<Shared> fork_shared();
  [[nodiscard]] Expected<Shared> spawn_shared();
  void launch_shared(Shared& shared, Job job);
  void on_shared_ready(Shared& shared);
  void shared_test_ended(Shared& shared, std::uint64_t id);
  void shared_ended(Shared& shared, int wait_status, const std::vector<LeftProcess>& left);
  bool end_running_in(Shared& shared, int wait_status, const std::vector<LeftProcess>& left);
  void end_waiting_for(Shared& shared, int wait_status);
  void finish_shared(Run* run);
  [[nodiscard]] static std::string end_of(const Zygote& ended, int wait_status);
  void reset_shared();
  [[nodiscard]] Shared* shared_of(const Zygote* zygote);
  [[nodiscard]] Shared* shared_of(std::uint64_t execution);
  [[nodiscard]] bool is_shared() const { return m_options.isolation == Isolation::none; }
  void signal_shared(const Shared& shared, int signal);
  void check_shared(Shared& shared, SteadyTime now);

  void finish(Zygote& zygote, bool abandon);
  void lose_executions(const Zygote& zygote, const std::string& cause);
  void lose(Job job, const std::string& cause);
  void end_execution(std::uint64_t id, const Evidence& evidence);
  void end_job(Job job, const Evidence& evidence);
  void end_unstarted(const Job& job, protocol::TestStatus status, const std::string& text);
  void over(const Job& job);
  void ended_in_suite(const Job& job);
  void drop(std::deque<Job>& jobs, const Run& run);
  void drop_checks(std::deque<Job>& jobs, const Run& run);
  void bury(std::unique_ptr<Zygote> zygote);

  void check_time(std::uint64_t id, Running& running, SteadyTime now);
  void check_loading(Zygote& zygote, SteadyTime now);
  void check_suite(Suite& suite, SteadyTime now);
  [[nodiscard]] std::chrono::milliseconds time_limit_of(std::uint32_t test) const;
  void check_limit(std::uint64_t id, Running& running, SteadyTime now);
  void terminate(std::uint64_t id, Running& running, SteadyTime now);
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
  std::string m_framework;  // and its version
  std::chrono::system_clock::time_point m_since =
      std::chrono::system_clock::now();  // of the warm process
  const std::uint64_t m_generation;
  ProgramIdentity m_identity;  // of what the catalog is of
  std::string
      m_restarted_with;  // the file that had changed when the warm process was started again
  SteadyTime m_load_began{};
  SteadyTime m_settled{};
  bool m_listed = false;
  bool m_runs_single = false;  // it cannot be forked: started anew for each test
  bool m_can_share = false;    // its adapter knows shared processes
  bool m_coverage = false;     // it is built for gcov or LLVM's coverage
  bool m_shutting_down = false;
  std::string m_trouble;   // why no test can run: global set-up failed, or it was lost too often
  bool m_skipped = false;  // global set-up asked for a skip; m_trouble says why
  bool m_suspect_runs = false;
  bool m_dispatching = false;
  bool m_exiting = false;   // the warm process goes through its end for m_exits
  int m_losses = 0;         // of the warm process, in a row without a test that ended in between
  int m_failed_starts = 0;  // of these, in a row, before it was ready
  std::unique_ptr<Zygote> m_zygote;
  std::map<std::uint32_t, Suite> m_suites;
  std::map<std::uint64_t, std::unique_ptr<Zygote>> m_singles;
  std::map<Run*, Shared> m_shared;
  std::map<std::uint64_t, Running> m_running;
  std::vector<std::string> m_unclaimed;  // reports on a fork that has not been said to be there
  std::deque<Job> m_waiting;             // for the warm process
  std::deque<Job> m_suspects;            // ran when it was lost: each runs again, alone
  std::deque<Job> m_exits;               // checks of its end
};

// Never 0, never the same twice in this process: names executions of all programs.
std::uint64_t next_execution();

}  // namespace hearth::server
