#include "client/run/orchestrator.hpp"

#include <csignal>

#include "client/run/run_session.hpp"

namespace hearth::client {

Expected<RunEnd> run_tests(RunPlan plan, RunListener& listener) {
  std::signal(SIGPIPE, SIG_IGN);
  asio::io_context io(1);
  const auto meanwhile = std::move(plan.meanwhile);
  RunSession session(io, std::move(plan), listener);
  if (const auto started = session.start(); !started) return tl::unexpected(started.error());
  if (meanwhile) meanwhile();
  io.run();
  auto end = session.take_end();
  // Reports and history are still to be finished; impatience does not cut them short.
  if (end.outcome.interrupted) std::signal(SIGINT, SIG_IGN);
  return end;
}

}  // namespace hearth::client
