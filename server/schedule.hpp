// What runs when: takes Lists and Runs, resolves their ids as programs become known, keeps the
// slots filled, fair between sessions and within one between Runs, and sees to it that every id
// gets its final status before its Run's Done.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "protocol/server_session.hpp"
#include "server/generations.hpp"
#include "server/orphans.hpp"
#include "server/program.hpp"
#include "server/run.hpp"
#include "server/serve.hpp"

namespace hearth::server {

class Schedule final : public ProgramEvents {
 public:
  Schedule(asio::io_context& io, const ServeOptions& options, std::vector<ProgramSpec> specs,
           Orphans& orphans);

  void start_programs();
  void list(protocol::ServerSession& session, protocol::ListRequested request);
  void run(protocol::ServerSession& session, protocol::RunRequested request);
  // A client has come, before its first List or Run.
  void joined(const protocol::ServerSession& session) { m_programs.joined(session); }
  // The client has gone: what it asked for is dropped, what runs of it is killed. The session has
  // to stay until none of its Lists and Runs is open().
  void cancel(const protocol::ServerSession& session);
  // Starts what can be started, at the loop's next turn.
  void fill_soon();

  void process_ended(pid_t pid, int wait_status, const rusage& usage);
  void process_stopped(pid_t pid);
  // Kills orphans that belong to no running test.
  void kill_strays();
  [[nodiscard]] bool is_idle() const { return m_runs.empty(); }
  // The session's Lists and Runs that are not done.
  [[nodiscard]] std::size_t open(const protocol::ServerSession& session) const;
  // Tests and answers that they still owe.
  [[nodiscard]] std::size_t left(const protocol::ServerSession& session) const;
  [[nodiscard]] std::vector<ProgramState> programs() const;
  [[nodiscard]] std::vector<RunningTest> running() const;
  [[nodiscard]] bool has_processes() const;
  void shut_down(bool abandon);

 private:
  void settled(Program& program) override;
  void job_over(const Program& program, const Job& job) override;
  void takes_more() override { fill_soon(); }
  void hold(Run* run, bool begins) override;
  void log(const std::string& line) override;

  void accept(std::unique_ptr<Run> run);
  void resolve_awaited();
  void resolve(Run& run, Program& program);
  bool claim(Run& run, Program& program, const std::string& id);
  static void resolve_rest(Run& run);
  void answer(Run& run);
  static void answer_one(Run& run, const Answer& answer);
  void finish_if_over(Run& run);
  [[nodiscard]] bool in_use(const Program& program) const;
  void fill();
  enum class Choice : std::uint8_t { any, in_suite_up, without_suite };
  bool start_one();
  bool start_one_of(Choice choice);
  [[nodiscard]] bool may_start(const Run& run, const QueuedTest& queued, Choice choice) const;
  void start_checks(Run& run);
  void queue_exits(Run& run);
  [[nodiscard]] bool goes_on_beside(const Run& run, const Program& program) const;
  [[nodiscard]] bool is_held_back(const Run& run, const Program& program) const;
  void let_exit();
  void give_turn_to_others(std::list<std::unique_ptr<Run>>::iterator run);
  void tick();

  asio::io_context& m_io;
  const unsigned m_jobs;
  const Isolation m_isolation;
  const bool m_exit_fails;
  Orphans& m_orphans;
  Generations m_programs;
  std::list<std::unique_ptr<Run>> m_runs;  // in turn: the next to start a test comes first
  std::unordered_set<std::string_view>
      m_busy;  // ids: a test does not run beside itself, nor its older build
  // Programs whose end is waited for. Runs up to the number go on in the program before it, later
  // ones wait.
  std::map<const Program*, std::uint64_t> m_exits;
  std::uint64_t m_last_number = 0;  // of a Run
  // What sessions have run tests of, with Runs that were not to exit.
  std::map<const protocol::ServerSession*, std::set<std::string>> m_owed;
  bool m_fill_posted = false;
  bool m_ticking = false;
  bool m_ended = false;
  asio::steady_timer m_tick;
};

}  // namespace hearth::server
