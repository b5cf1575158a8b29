// Which tests a run has, in what order, and what is known of them: the options of `hearth run`
// applied to the list of the servers and to the past. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "client/history/history.hpp"
#include "client/run/orchestrator.hpp"
#include "client/run/selection.hpp"

namespace hearth::client {

struct ChoiceRules {
  SelectionOptions options;
  Selector selector;
  // Of --load-list: what is chosen from instead of the servers' list.
  std::optional<std::vector<std::string>> given;
  // The group that a test is scheduled with; nullopt: none. Not set: no test has one.
  std::function<std::optional<std::string>(const std::string& id)> group_of;
  std::uint64_t seed = 0;  // of --shuffle
};

// Ids that a List of everything does not show, and that may be meant: what failed the last time,
// with --failing; and each pattern that is found in no listed id, taken for an id itself.
[[nodiscard]] std::vector<std::string> wanted_ids(const std::vector<std::string>& listed,
                                                  const ChoiceRules& rules, const Past& past);

// `named`: those of the wanted ids that there are.
[[nodiscard]] Chosen choose_tests(std::vector<std::string> listed, const ChoiceRules& rules,
                                  const Past& past, std::vector<std::string> named = {});

// The part, from 1, that an id belongs to: by the CRC-32 of its UTF-8, whatever other tests there
// are.
[[nodiscard]] std::uint32_t part_by_hash(const std::string& id, std::uint32_t parts);

}  // namespace hearth::client
