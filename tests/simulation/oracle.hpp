// What a scheduler could reach that knew everything but the deaths: the measure for ours where
// history is wrong, or servers die.
//
// The oracle is list scheduling, longest first, with the true durations: whenever a slot is free,
// the longest test that waits starts in it. Its messages take no time; it knows each server's
// slots; a server's death it learns at once, and what had been running there starts anew like any
// other test, not alone. The servers die and return at the same times as ours. It does not foresee
// deaths, no more than we do. Groups do not bind it: but its time is never less than what the
// largest group takes on one server, with all its slots.
#pragma once

#include "tests/simulation/workload.hpp"

namespace hearth::simulation {

[[nodiscard]] Time oracle_makespan(const Workload& workload);

}  // namespace hearth::simulation
