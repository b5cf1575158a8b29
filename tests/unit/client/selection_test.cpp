#include "client/run/selection.hpp"

#include <doctest/doctest.h>

using namespace hearth::client;
using namespace std::string_literals;
using Ids = std::vector<std::string>;

namespace {

const Ids ids{"p.Suite.one", "p.Suite.two", "q.Other.one"};

Ids selected(const std::vector<std::string>& patterns) {
  const auto selector = Selector::make(patterns);
  REQUIRE(selector);
  return selector->select(ids);
}

}  // namespace

TEST_CASE("Selection: without patterns, everything") {
  CHECK(selected({}) == ids);
}

TEST_CASE("Selection: a pattern is searched for anywhere, and any of several will do") {
  CHECK(selected({"one"}) == Ids{"p.Suite.one", "q.Other.one"});
  CHECK(selected({"^p\\.", "Other"}) == ids);
  CHECK(selected({"two$"}) == Ids{"p.Suite.two"});
  CHECK(selected({"(?i)SUITE"}) == Ids{"p.Suite.one", "p.Suite.two"});
  CHECK(selected({"three"}).empty());
  CHECK(selected({""}) == ids);
}

TEST_CASE("Selection: a pattern that does not compile is named, with the cause") {
  const auto selector = Selector::make({"ok", "("});
  REQUIRE_FALSE(selector);
  CHECK(selector.error().attempted == "use the regular expression '('");
  CHECK_FALSE(selector.error().cause.empty());
}

TEST_CASE("Selection: a pattern that is too much work for an id is an error that names both") {
  const auto selector = Selector::make({"^(a|b)*$"});
  REQUIRE(selector);
  CHECK(selector->selects("abab"));
  CHECK_THROWS_WITH_AS((void)selector->selects(std::string(10'000'000, 'a')),
                       doctest::Contains("'^(a|b)*$'"), std::runtime_error);
}

TEST_CASE("Selection: an id list is its lines") {
  CHECK(parse_id_list("a\nb\n", "f").value() == Ids{"a", "b"});
  CHECK(parse_id_list("a\r\n\nb with blanks \na", "f").value() == Ids{"a", "b with blanks ", "a"});
  CHECK(parse_id_list("", "f").value().empty());
}

TEST_CASE("Selection: a line that is no id is named") {
  for (const auto& line : {"\xff"s, "a\0b"s}) {
    const auto parsed = parse_id_list("good\n" + line + "\n", "list.txt");
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().attempted == "read line 2 of list.txt");
  }
}

TEST_CASE("Selection: a list that is not there is an error that names it") {
  const auto read = read_id_list("/no/such/list");
  REQUIRE_FALSE(read);
  CHECK(read.error().attempted.find("/no/such/list") != std::string::npos);
}
