#include "client/run/choice.hpp"

#include <algorithm>
#include <queue>
#include <random>
#include <unordered_map>
#include <unordered_set>

#include "protocol/crc32.hpp"
#include "protocol/utf8.hpp"

namespace hearth::client {
namespace {

using Ids = std::vector<std::string>;

std::optional<nanoseconds> known_duration(const Past& past, const std::string& id) {
  const auto found = past.durations.find(id);
  if (found == past.durations.end()) return std::nullopt;
  return found->second;
}

// What a test of which nothing is known is taken for: the median of the others.
nanoseconds typical_duration(const Ids& ids, const Past& past) {
  std::vector<nanoseconds> known;
  for (const auto& id : ids)
    if (const auto duration = known_duration(past, id)) known.push_back(*duration);
  if (known.empty()) return std::chrono::seconds(1);
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
  std::nth_element(known.begin(), middle, known.end());
  return *middle;
}

void keep_part_by_hash(Ids& ids, const Partition& partition) {
  std::erase_if(ids, [&](const std::string& id) {
    return part_by_hash(id, partition.parts) != partition.part;
  });
}

// Longest first, each to the part that has least: the same parts wherever the list and the history
// are the same.
void keep_part_by_duration(Ids& ids, const Partition& partition, const Past& past) {
  const auto typical = typical_duration(ids, past);
  struct Entry {
    nanoseconds duration;
    const std::string* id;
  };
  std::vector<Entry> entries;
  for (const auto& id : ids) entries.push_back({known_duration(past, id).value_or(typical), &id});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.duration != b.duration ? a.duration > b.duration : *a.id < *b.id;
  });
  using Load = std::pair<nanoseconds, std::uint32_t>;
  std::priority_queue<Load, std::vector<Load>, std::greater<>> parts;
  for (std::uint32_t part = 1; part <= partition.parts; ++part) parts.push({nanoseconds{}, part});
  std::unordered_set<const std::string*> kept;
  for (const auto& entry : entries) {
    auto [load, part] = parts.top();
    parts.pop();
    if (part == partition.part) kept.insert(entry.id);
    parts.push({load + entry.duration, part});
  }
  Ids chosen;
  for (auto& id : ids)
    if (kept.count(&id) != 0) chosen.push_back(std::move(id));
  ids = std::move(chosen);
}

// The same order for the same seed and ids, whatever the standard library.
void shuffle(Ids& ids, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  for (std::size_t left = ids.size(); left > 1; --left)
    std::swap(ids[left - 1], ids[random() % left]);
}

void put_failed_first(Ids& ids, const ChoiceRules& rules, const Past& past) {
  if (!rules.options.listed_order)
    std::stable_sort(ids.begin(), ids.end(), [&](const std::string& a, const std::string& b) {
      const auto of_a = known_duration(past, a);
      const auto of_b = known_duration(past, b);
      if (!of_a || !of_b) return !of_a && of_b;
      return *of_a > *of_b;
    });
  const std::unordered_set<std::string> failing(past.failing.begin(), past.failing.end());
  std::stable_partition(ids.begin(), ids.end(),
                        [&](const std::string& id) { return failing.count(id) != 0; });
}

// What a pattern says if it was written for one id: without anchors, and without the backslashes
// before characters that stand for themselves.
std::string literal_id(std::string_view pattern) {
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$') && !pattern.ends_with("\\$")) pattern.remove_suffix(1);
  std::string id;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) ++i;
    id += pattern[i];
  }
  return id;
}

std::vector<PlannedTest> plan(const Ids& ids, const ChoiceRules& rules, const Past& past) {
  std::vector<PlannedTest> tests;
  tests.reserve(ids.size());
  std::unordered_map<std::string, std::uint32_t> groups;
  for (const auto& id : ids) {
    PlannedTest test;
    test.expected = known_duration(past, id);
    if (rules.group_of) {
      if (const auto group = rules.group_of(id))
        test.group =
            groups.try_emplace(*group, static_cast<std::uint32_t>(groups.size())).first->second;
    }
    tests.push_back(test);
  }
  return tests;
}

}  // namespace

std::vector<std::string> wanted_ids(const std::vector<std::string>& listed,
                                    const ChoiceRules& rules, const Past& past) {
  Ids wanted;
  if (rules.options.failing) {
    const std::unordered_set<std::string_view> known(listed.begin(), listed.end());
    for (const auto& id : rules.selector.select(past.failing))
      if (!known.contains(id)) wanted.push_back(id);
    return wanted;
  }
  for (const auto& pattern : rules.selector.found_in_none(listed)) {
    const auto id = literal_id(pattern);
    if (protocol::check_string(id) == protocol::StringFault::none && !id.empty())
      wanted.push_back(id);
  }
  return wanted;
}

Chosen choose_tests(std::vector<std::string> listed, const ChoiceRules& rules, const Past& past,
                    std::vector<std::string> named) {
  const auto& options = rules.options;
  Chosen chosen;
  const auto listed_count = listed.size();
  const auto named_count = named.size();
  chosen.ids = rules.given ? *rules.given : std::move(listed);
  if (options.failing) {
    const std::unordered_set<std::string> failing(past.failing.begin(), past.failing.end());
    std::erase_if(chosen.ids, [&](const std::string& id) { return failing.count(id) == 0; });
  }
  chosen.ids = rules.selector.select(std::move(chosen.ids));
  chosen.ids.insert(chosen.ids.end(), std::make_move_iterator(named.begin()),
                    std::make_move_iterator(named.end()));
  if (options.partition && options.partition->by_duration)
    keep_part_by_duration(chosen.ids, *options.partition, past);
  else if (options.partition)
    keep_part_by_hash(chosen.ids, *options.partition);
  chosen.all = !rules.given && named_count == 0 && chosen.ids.size() == listed_count;
  if (options.shuffle)
    shuffle(chosen.ids, rules.seed);
  else if (options.last_failed_first)
    put_failed_first(chosen.ids, rules, past);
  if (options.shuffle || options.last_failed_first || options.listed_order)
    chosen.order = ScheduleOptions::Order::as_given;
  chosen.tests = plan(chosen.ids, rules, past);
  return chosen;
}

std::uint32_t part_by_hash(const std::string& id, std::uint32_t parts) {
  return protocol::crc32(protocol::as_bytes(id)) % parts + 1;
}

}  // namespace hearth::client
