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
    std::optional<SteadyTime> terminated;  // TERM was sent
    bool killed = false;
  };
  struct Suite {
    std::size_t expected = 0;  // executions that are still to come
    std::unique_ptr<Zygote> zygote;
    std::deque<Job> waiting;
    std::string trouble;  // its set-up failed
    bool skipped = false;
    Run* closing_for = nullptr;
    Run* last_run = nullptr;
    protocol::ServerSession* session = nullptr;
    std::uint64_t ordinal = 0;
  };

  void on_message(Zygote& zygote, const worker::FromZygote& message);
  void on_hello(Zygote& zygote, std::uint32_t max, std::uint32_t min);
  void on_ready(Zygote& zygote, const worker::FromZygote& message);
  void on_suite_ready(Zygote& zygote, const worker::FromZygote& message);
  void on_ended(const worker::FromZygote& message);
  void on_closed(Zygote& zygote);
  void settle_listed();
  void fail_to_load(const std::string& cause);

  void dispatch_waiting();
  void launch(Job job, Zygote& zygote);
  void run_single(Job job);
  void run_in_suite(Job job);
  void start_suite(Suite& suite, std::uint32_t test);
  void suite_ended(Suite& suite, const std::string& cause);
  void close_suite(Suite& suite, Run* run);
  void report_teardown(Suite& suite);
  [[nodiscard]] Suite* suite_of(const Zygote& zygote);
  [[nodiscard]] Suite* suite_of(std::uint64_t execution);

  void zygote_lost(const std::string& cause);
  void lose_executions(const Zygote& zygote, const std::string& cause);
  void end_execution(std::uint64_t id, const Evidence& evidence, protocol::Timestamp when);
  void end_unstarted(const Job& job, const std::string& trouble);
  void over(const Job& job);
  void kill_execution(std::uint64_t id, const Running& running, int signal);
  void check_time(std::uint64_t id, Running& running, SteadyTime now);
  void check_loading(Zygote& zygote, SteadyTime now);

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
  std::string m_set_up_trouble;
  bool m_set_up_skipped = false;
  int m_losses = 0;  // of the warm process, in a row without a test in between
  std::unique_ptr<Zygote> m_zygote;
  std::vector<std::unique_ptr<Zygote>> m_buried;  // until the loop is out of their callbacks
  std::map<std::uint32_t, Suite> m_suites;
  std::map<std::uint64_t, std::unique_ptr<Zygote>> m_singles;
  std::map<std::uint64_t, Running> m_running;
  std::deque<Job> m_waiting;   // for the warm process
  std::deque<Job> m_suspects;  // ran when it was lost: each runs again, alone
};

// Never 0, never the same twice in this process: names executions of all programs.
std::uint64_t next_execution();

}  // namespace hearth::server
