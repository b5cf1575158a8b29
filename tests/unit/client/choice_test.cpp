#include "client/run/choice.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

using namespace hearth::client;
using namespace std::chrono_literals;
using Ids = std::vector<std::string>;
using Order = ScheduleOptions::Order;

namespace {

Ids numbered(int count) {
  Ids ids;
  for (int i = 0; i < count; ++i) ids.push_back("p.S.t" + std::to_string(i));
  return ids;
}

ChoiceRules rules(const Ids& patterns = {}) {
  return {{}, *Selector::make(patterns), std::nullopt, {}, 7};
}

nanoseconds load_of(const Ids& ids, const Past& past) {
  nanoseconds sum{};
  for (const auto& id : ids) sum += past.durations.at(id);
  return sum;
}

}  // namespace

TEST_CASE("Choice: without rules everything, longest first, with what is known") {
  Past past;
  past.durations["p.S.t1"] = 5s;
  const auto chosen = choose_tests(numbered(3), rules(), past);
  CHECK(chosen.ids == numbered(3));
  CHECK(chosen.all);
  CHECK(chosen.order == Order::longest_first);
  CHECK_FALSE(chosen.tests[0].expected);
  CHECK(chosen.tests[1].expected == 5s);
}

TEST_CASE("Choice: patterns, failing tests and a given list choose") {
  auto chosen = choose_tests(numbered(12), rules({"t1"}), {});
  CHECK(chosen.ids == Ids{"p.S.t1", "p.S.t10", "p.S.t11"});
  CHECK_FALSE(chosen.all);

  Past past;
  past.failing = {"p.S.t11", "p.S.gone", "p.S.t2"};
  auto failing = rules();
  failing.options.failing = true;
  CHECK(choose_tests(numbered(12), failing, past).ids == Ids{"p.S.t2", "p.S.t11"});

  CHECK(wanted_ids(numbered(12), failing, past) == Ids{"p.S.gone"});
  past.failing.push_back("q.exit");
  failing.selector = *Selector::make({"^q"});
  CHECK(wanted_ids(numbered(12), failing, past) == Ids{"q.exit"});
  chosen = choose_tests(numbered(12), failing, past, {"q.exit"});
  CHECK(chosen.ids == Ids{"q.exit"});
  CHECK_FALSE(chosen.all);

  auto given = rules();
  given.given = Ids{"x", "x", "not.listed"};
  chosen = choose_tests({}, given, {});
  CHECK(chosen.ids == Ids{"x", "x", "not.listed"});
  CHECK_FALSE(chosen.all);
}

TEST_CASE("Choice: parts by hash have every test once, whatever else is listed") {
  const auto ids = numbered(1000);
  std::multiset<std::string> all;
  for (std::uint32_t part = 1; part <= 3; ++part) {
    auto some = rules();
    some.options.partition = Partition{part, 3, false};
    const auto chosen = choose_tests(ids, some, {});
    CHECK(chosen.ids.size() > 250);
    CHECK_FALSE(chosen.all);
    all.insert(chosen.ids.begin(), chosen.ids.end());
    for (const auto& id : chosen.ids) CHECK(part_by_hash(id, 3) == part);
  }
  CHECK(all == std::multiset<std::string>(ids.begin(), ids.end()));
  // What is documented: CRC-32 of "123456789" is 0xCBF43926.
  CHECK(part_by_hash("123456789", 1000) == 0xCBF43926U % 1000 + 1);
}

TEST_CASE("Choice: parts by duration take as long as each other") {
  const auto ids = numbered(100);
  Past past;
  for (std::size_t i = 0; i < ids.size(); ++i) past.durations[ids[i]] = std::chrono::seconds(i + 1);
  std::multiset<std::string> all;
  for (std::uint32_t part = 1; part <= 4; ++part) {
    auto some = rules();
    some.options.partition = Partition{part, 4, true};
    const auto chosen = choose_tests(ids, some, past).ids;
    CHECK(std::is_sorted(chosen.begin(), chosen.end(), [&](const auto& a, const auto& b) {
      return past.durations[a] < past.durations[b];
    }));  // as listed
    const auto load = load_of(chosen, past);
    CHECK(load > 1200s);
    CHECK(load < 1325s);
    all.insert(chosen.begin(), chosen.end());
  }
  CHECK(all == std::multiset<std::string>(ids.begin(), ids.end()));
}

TEST_CASE("Choice: shuffled, failed first, or as listed: then the order is kept") {
  auto shuffled = rules();
  shuffled.options.shuffle = true;
  const auto first = choose_tests(numbered(50), shuffled, {});
  CHECK(first.order == Order::as_given);
  CHECK(first.all);
  CHECK(first.ids != numbered(50));
  CHECK(choose_tests(numbered(50), shuffled, {}).ids == first.ids);
  shuffled.seed = 8;
  CHECK(choose_tests(numbered(50), shuffled, {}).ids != first.ids);

  Past past;
  past.failing = {"p.S.t2"};
  past.durations = {{"p.S.t0", 1s}, {"p.S.t1", 3s}, {"p.S.t2", 2s}};
  auto failed = rules();
  failed.options.last_failed_first = true;
  CHECK(choose_tests(numbered(4), failed, past).ids == Ids{"p.S.t2", "p.S.t3", "p.S.t1", "p.S.t0"});
  failed.options.listed_order = true;
  CHECK(choose_tests(numbered(4), failed, past).ids == Ids{"p.S.t2", "p.S.t0", "p.S.t1", "p.S.t3"});
}

TEST_CASE("Choice: tests of one group have one number") {
  auto grouped = rules();
  grouped.group_of = [](const std::string& id) -> std::optional<std::string> {
    if (id.ends_with('0')) return std::nullopt;
    return id.substr(0, 1);
  };
  const auto chosen = choose_tests({"a0", "a1", "b1", "a2"}, grouped, {});
  CHECK_FALSE(chosen.tests[0].group);
  CHECK(chosen.tests[1].group == chosen.tests[3].group);
  CHECK(chosen.tests[1].group != chosen.tests[2].group);
}

TEST_CASE("Choice: a pattern that is found nowhere is tried as an id") {
  CHECK(wanted_ids(numbered(3), rules({"t1", "^p\\.S\\.DISABLED_x$", "p.exit", "a|b"}), {}) ==
        Ids{"p.S.DISABLED_x", "p.exit", "a|b"});
  CHECK(wanted_ids(numbered(3), rules(), {}).empty());
  const auto chosen = choose_tests(numbered(3), rules({"t1", "p.exit"}), {}, {"p.exit"});
  CHECK(chosen.ids == Ids{"p.S.t1", "p.exit"});
  CHECK_FALSE(chosen.all);
}
