#include "server/generations.hpp"

#include <algorithm>

namespace hearth::server {
namespace {

// What changes each time that it is loaded (a file that the program itself writes) is served all
// the same.
constexpr int max_restarts = 3;
constexpr auto tear_down_limit = std::chrono::seconds(10);

}  // namespace

Generations::Generations(asio::io_context& io, const ServeOptions& options,
                         std::vector<ProgramSpec> specs, Orphans& orphans, ProgramEvents& events,
                         std::function<bool(const Program&)> in_use)
    : m_io(io),
      m_options(options),
      m_orphans(orphans),
      m_events(events),
      m_in_use(std::move(in_use)) {
  for (ProgramSpec& spec : specs) m_places.push_back({make(std::move(spec), 1)});
}

std::unique_ptr<Program> Generations::make(ProgramSpec spec, std::uint64_t generation) {
  return std::make_unique<Program>(m_io, std::move(spec), m_options, m_orphans, m_events,
                                   generation);
}

void Generations::start() {
  for (const Place& place : m_places) place.program->start();
}

void Generations::asked(std::size_t number, const Run& run) {
  Place& place = m_places[number];
  if (!place.program->is_settled()) return;
  place.asked_settled = true;
  const auto told = place.told.find(&run.session());
  const bool again = told != place.told.end()
                         ? told->second || (run.is_list() && run.wants_all())
                         : m_sessions[&run.session()] > place.program->settled();
  place.try_again = place.try_again || again;
}

void Generations::answered(std::size_t place, const Run& run) {
  bool& by_run = m_places[place].told[&run.session()];
  by_run = by_run || !run.is_list();
}

void Generations::joined(const protocol::ServerSession& session) {
  m_sessions[&session] = work_time();
}

void Generations::left(const protocol::ServerSession& session) {
  m_sessions.erase(&session);
  for (Place& place : m_places) place.told.erase(&session);
}

// One that failed is tried again for those who asked when it had failed, not for those who waited
// for it.
bool Generations::is_current(std::size_t number) {
  Place& place = m_places[number];
  Program& program = *place.program;
  if (!program.is_settled()) return false;
  const bool asked_settled = std::exchange(place.asked_settled, false);
  if (asked_settled) place.restarts = place.restless ? max_restarts - 1 : 0;
  const bool try_again = std::exchange(place.try_again, false);
  auto why = asked_settled && try_again ? program.why_afresh() : program.changed();
  if (why && place.restarts == max_restarts) {
    if (!std::exchange(place.restless, true)) {
      m_events.log("program " + program.name() + " is served although " + *why +
                   " each time that it is loaded");
    }
    return true;
  }
  if (!why) {
    place.restless = false;
    return true;
  }
  ++place.restarts;
  m_events.log("program " + program.name() + " is started afresh: " + *why);
  replace(place);
  return false;
}

// An old process that nobody uses ends first: what it holds (a port, a lock) is free for the new
// one.
void Generations::replace(Place& place) {
  auto fresh = make(place.program->spec(), place.program->generation() + 1);
  Retired& old = m_retired.emplace_back(Retired{std::move(place.program), fresh.get(), {}});
  place.program = std::move(fresh);
  place.told.clear();
  if (m_in_use(*old.program)) std::exchange(old.successor, nullptr)->start();
  let_go();
}

bool Generations::all_settled() const {
  return std::all_of(m_places.begin(), m_places.end(),
                     [](const Place& place) { return place.program->is_settled(); });
}

void Generations::let_go() {
  for (auto at = m_retired.begin(); at != m_retired.end();) {
    const auto retired = at++;
    if (!retired->told && m_in_use(*retired->program)) continue;
    if (!retired->told) {
      retired->told = work_time();
      retired->program->shut_down(false);
    }
    if (retired->program->has_processes()) continue;
    Program* const successor = retired->successor;
    // Kept until the loop is out of its callbacks.
    asio::post(m_io, [kept = std::shared_ptr<Program>(std::move(retired->program))] {});
    m_retired.erase(retired);
    if (successor != nullptr) successor->start();
  }
}

void Generations::tick(SteadyTime now) {
  for_each([&](Program& program) { program.tick(now); });
  for (Retired& retired : m_retired) {
    if (!retired.told || retired.killed || now - *retired.told < tear_down_limit) continue;
    retired.killed = true;
    m_events.log("program " + retired.program->name() +
                 ": its old process had not torn down after " +
                 std::to_string(tear_down_limit.count()) + " s; it is killed");
    retired.program->shut_down(true);
  }
}

void Generations::shut_down(bool abandon) {
  for (const Place& place : m_places) place.program->shut_down(abandon);
  for (const Retired& retired : m_retired) {
    if (abandon || !retired.told) retired.program->shut_down(abandon);
  }
}

}  // namespace hearth::server
