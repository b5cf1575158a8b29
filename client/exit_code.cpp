#include "client/exit_code.hpp"

namespace hearth::client {

ExitCode exit_code(const Outcome& outcome) {
  if (outcome.interrupted) return ExitCode::interrupted;
  const bool missing = !outcome.missing.empty() && !outcome.stopped_early;
  if (outcome.lost || missing || !outcome.doubts.empty()) return ExitCode::results_missing;
  return outcome.counts.failed + outcome.counts.unasked_failures == 0 ? ExitCode::success
                                                                      : ExitCode::failures;
}

}  // namespace hearth::client
