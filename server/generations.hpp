// The programs that are served, each in generations: what has changed since it was started is
// started afresh, and its old process is kept for as long as a Run has tests in it.
// docs/architecture.md, "Never stale".
//
// Flow: asked() when a List or Run that concerns a program has come; then is_current() until it is
// true, each time the program may have settled; let_go() whenever a Run or a process has ended.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "server/program.hpp"
#include "server/run.hpp"

namespace hearth::server {

class Generations {
 public:
  // `in_use`: a Run that is not done has the program's tests, or answers about it.
  Generations(asio::io_context& io, const ServeOptions& options, std::vector<ProgramSpec> specs,
              Orphans& orphans, ProgramEvents& events, std::function<bool(const Program&)> in_use);

  void start();

  // Programs keep their places.
  [[nodiscard]] std::size_t size() const { return m_places.size(); }
  [[nodiscard]] Program& operator[](std::size_t place) const { return *m_places[place].program; }
  // Also those that have been replaced and are not gone yet.
  template <typename Action>
  void for_each(const Action& action) const {
    for (const Place& place : m_places) action(*place.program);
    for (const Retired& retired : m_retired) action(*retired.program);
  }

  // One that failed is not started again for a session's first answers, a List and the Run that
  // follows: the session was there when it failed, or has just been told. It is for a List of
  // everything that comes again, for what comes after a Run, and for a session that came later.
  void asked(std::size_t place, const Run& run);
  void answered(std::size_t place, const Run& run);
  void joined(const protocol::ServerSession& session);
  void left(const protocol::ServerSession& session);
  // The program is settled, and what it was started from is there unchanged. Where it has changed,
  // it is started afresh; false until that has settled. Not to be called by a program's events.
  [[nodiscard]] bool is_current(std::size_t place);
  [[nodiscard]] bool all_settled() const;

  // Ends those that have been replaced and are not in use.
  void let_go();
  [[nodiscard]] bool any_replaced() const { return !m_retired.empty(); }
  void tick(SteadyTime now);
  void shut_down(bool abandon);

 private:
  struct Place {
    std::unique_ptr<Program> program;
    bool asked_settled = false;  // when it had settled already: it is looked at as a whole
    bool try_again = false;      // also if it is the same that failed
    // Sessions that had an answer about this generation; true: that of a Run.
    std::unordered_map<const protocol::ServerSession*, bool> told = {};
    int restarts = 0;       // in a row, as it changed while it was loading
    bool restless = false;  // it had changed after each of them, and was served all the same
  };
  struct Retired {
    std::unique_ptr<Program> program;
    Program* successor;              // starts when it has gone; nullptr: has started
    std::optional<SteadyTime> told;  // to end, when
    bool killed = false;
  };

  [[nodiscard]] std::unique_ptr<Program> make(ProgramSpec spec, std::uint64_t generation);
  void replace(Place& place);

  asio::io_context& m_io;
  const ServeOptions& m_options;
  Orphans& m_orphans;
  ProgramEvents& m_events;
  std::function<bool(const Program&)> m_in_use;
  std::vector<Place> m_places;
  std::unordered_map<const protocol::ServerSession*, SteadyTime> m_sessions;  // since when
  std::list<Retired> m_retired;
};

}  // namespace hearth::server
