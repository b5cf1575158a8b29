// What runs when: takes Lists and Runs, resolves their ids as programs become known, keeps the slots filled, fair
// between Runs, and sees to it that every id gets its final status before its Run's Done.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <set>
#include <vector>

#include "protocol/server_session.hpp"
#include "server/orphans.hpp"
#include "server/program.hpp"
#include "server/run.hpp"
#include "server/serve.hpp"

namespace hearth::server {

class Schedule final : public ProgramEvents {
 public:
  Schedule(asio::io_context& io, const ServeOptions& options, std::vector<ProgramSpec> specs, Orphans& orphans);

  // Called before a test is started: false holds it back (its client does not read).
  std::function<bool()> may_start = [] { return true; };

  void start_programs();
  void list(protocol::ServerSession& session, protocol::ListRequested request);
  void run(protocol::ServerSession& session, protocol::RunRequested request);
  // Starts what can be started, at the loop's next turn.
  void fill_soon();

  void process_ended(pid_t pid, int wait_status, const rusage& usage);
  void process_stopped(pid_t pid);
  // Kills orphans that belong to no running test.
  void kill_strays();
  [[nodiscard]] bool is_idle() const { return m_runs.empty(); }
  // Lists and Runs that are not done.
  [[nodiscard]] std::size_t open() const { return m_runs.size(); }
  [[nodiscard]] bool has_processes() const;
  void shut_down(bool abandon);

 private:
  void settled(Program& program) override;
  void job_over(const Program& program, const Job& job) override;
  void closing_suite(Run* run, bool begins) override;
  void log(const std::string& line) override;

  void accept(std::unique_ptr<Run> run);
  void resolve(Run& run, Program& program);
  bool claim(Run& run, Program& program, const std::string& id);
  static void resolve_rest(Run& run);
  void answer(Run& run);
  static void answer_one(Run& run, const Answer& answer);
  void finish_if_over(Run& run);
  [[nodiscard]] bool all_settled() const;
  void fill();
  bool start_one();
  void tick();

  asio::io_context& m_io;
  const unsigned m_jobs;
  Orphans& m_orphans;
  std::vector<std::unique_ptr<Program>> m_programs;
  std::list<std::unique_ptr<Run>> m_runs;  // in turn: the next to start a test comes first
  std::set<std::pair<const Program*, std::uint32_t>> m_busy;
  bool m_fill_posted = false;
  bool m_ticking = false;
  bool m_ended = false;
  asio::steady_timer m_tick;
};

}  // namespace hearth::server
