#include <doctest/doctest.h>

#include "hearth/names.hpp"

using hearth::zygote::trimmed;
using hearth::zygote::UniqueNames;

namespace {
using Names = std::vector<std::string>;
}

TEST_CASE("UniqueNames: names that differ stay as they are") {
  CHECK(UniqueNames::of({}) == Names{});
  CHECK(UniqueNames::of({{"a", "x.cpp"}, {"b", "y.cpp"}, {"A", ""}}) == Names{"a", "b", "A"});
}

TEST_CASE("UniqueNames: equal names are numbered from the second on") {
  CHECK(UniqueNames::of({{"a", ""}, {"b", ""}, {"a", ""}, {"a", ""}}) ==
        Names{"a", "b", "a #2", "a #3"});
}

TEST_CASE("UniqueNames: equal names in several files have the files' names") {
  CHECK(UniqueNames::of({{"a", "src/x.cpp"}, {"a", "y.cpp"}, {"b", "y.cpp"}}) ==
        Names{"a (x.cpp)", "a (y.cpp)", "b"});
  CHECK(UniqueNames::of({{"a", "x.cpp"}, {"a", "y.cpp"}, {"a", "y.cpp"}}) ==
        Names{"a (x.cpp)", "a (y.cpp)", "a (y.cpp) #2"});
}

TEST_CASE("UniqueNames: files of one name in several folders are told apart by numbers") {
  CHECK(UniqueNames::of({{"a", "one/x.cpp"}, {"a", "two/x.cpp"}}) == Names{"a", "a #2"});
}

TEST_CASE("UniqueNames: a number does not make the name that another test has") {
  CHECK(UniqueNames::of({{"a", ""}, {"a", ""}, {"a #2", ""}}) == Names{"a", "a #3", "a #2"});
  CHECK(UniqueNames::of({{"a #2", ""}, {"a", ""}, {"a", ""}, {"a", ""}}) ==
        Names{"a #2", "a", "a #3", "a #4"});
}

TEST_CASE("UniqueNames: adding a test elsewhere changes no other name") {
  const Names before = UniqueNames::of({{"a", "x.cpp"}, {"a", "x.cpp"}, {"c", "x.cpp"}});
  const Names after =
      UniqueNames::of({{"a", "x.cpp"}, {"b", "x.cpp"}, {"a", "x.cpp"}, {"c", "x.cpp"}});
  CHECK(before == Names{after[0], after[2], after[3]});
}

TEST_CASE("trimmed: white space at the ends only") {
  CHECK(trimmed("a b") == "a b");
  CHECK(trimmed("  Scenario: a \t\n") == "Scenario: a");
  CHECK(trimmed("") == "unnamed");
  CHECK(trimmed(" \n") == "unnamed");
}
