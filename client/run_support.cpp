#include "client/run_support.hpp"

#include <random>

#include "client/command_support.hpp"

namespace hearth::client {

Expected<ChoiceRules> choice_rules(const SelectionOptions& options, const ProjectServers& servers) {
  auto selector = Selector::make(options.patterns);
  if (!selector) return tl::unexpected(selector.error());
  ChoiceRules rules{options, std::move(*selector), std::nullopt, servers.group_of,
                    options.seed.value_or(std::random_device()())};
  if (options.load_list) {
    auto ids = read_id_list(*options.load_list);
    if (!ids) return tl::unexpected(ids.error());
    rules.given = std::move(*ids);
  }
  return rules;
}

RunPlan run_plan(const RunCommand& command, const ProjectServers& servers) {
  RunPlan plan;
  plan.servers = servers.commands;
  plan.filter_tags = servers.filter_tags;
  plan.patience.start = seconds(command.start_timeout);
  plan.patience.grace = grace_of(command.project.server);
  return plan;
}

}  // namespace hearth::client
