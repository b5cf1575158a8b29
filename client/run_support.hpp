// What the commands that run tests have in common: their options as the orchestrator takes them.
#pragma once

#include "client/options.hpp"
#include "client/project/servers.hpp"
#include "client/run/choice.hpp"

namespace hearth::client {

// Reads the file of --load-list; makes a seed for --shuffle where none is given.
[[nodiscard]] Expected<ChoiceRules> choice_rules(const SelectionOptions& options,
                                                 const ProjectServers& servers);

// Its servers, and how long they are waited for. All else is as RunPlan has it.
[[nodiscard]] RunPlan run_plan(const RunCommand& command, const ProjectServers& servers);

}  // namespace hearth::client
