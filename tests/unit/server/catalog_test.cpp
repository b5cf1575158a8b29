#include "server/catalog.hpp"

#include <doctest/doctest.h>

using namespace hearth::server;

TEST_CASE("Catalog: tests by id, in order") {
  Catalog catalog("p");
  catalog.add("S.a", "S", false, false);
  catalog.add("T.b", "T", true, true);
  catalog.add("S.c", "S", false, true);
  REQUIRE(catalog.size() == 3);
  CHECK(catalog[0].id == "p.S.a");
  CHECK(catalog.find("p.T.b") == 1U);
  CHECK(catalog.find("p.S.c") == 2U);
  CHECK_FALSE(catalog.find("S.a"));
  CHECK_FALSE(catalog.find(""));
  CHECK(catalog[1].hidden);
  CHECK(catalog[1].suite_process);
  CHECK_FALSE(catalog[0].hidden);
  CHECK(catalog[0].suite == catalog[2].suite);
  CHECK(catalog.suite_name(catalog[0].suite) == "S");
  CHECK(catalog.suite_name(catalog[1].suite) == "T");
  CHECK(catalog.suite_count() == 2);
}

TEST_CASE("Catalog: ids are unique, names are the program's own") {
  Catalog catalog("p");
  for (const char* const name : {"a", "a", "a #2", "a", "b\n", "b%0A", "b\n"})
    catalog.add(name, "", false, false);
  const char* const ids[] = {"p.a",    "p.a #2",   "p.a #2 #2", "p.a #3",
                             "p.b%0A", "p.b%250A", "p.b%0A #2"};
  const char* const names[] = {"a", "a", "a #2", "a", "b\n", "b%0A", "b\n"};
  for (std::uint32_t i = 0; i < catalog.size(); ++i) {
    CHECK(catalog[i].id == ids[i]);
    CHECK(catalog.name_of(i) == names[i]);
    CHECK(catalog.find(ids[i]) == i);
  }
}

TEST_CASE("Catalog: cleared, it is empty, and can be filled again") {
  Catalog catalog("p");
  catalog.add("a", "s", false, false);
  catalog.clear();
  CHECK(catalog.size() == 0);
  CHECK_FALSE(catalog.find("p.a"));
  catalog.add("a", "t", false, false);
  CHECK(catalog.find("p.a") == 0U);
  CHECK(catalog.suite_name(catalog[0].suite) == "t");
}

TEST_CASE("Catalog: many tests keep their ids") {
  Catalog catalog("p");
  for (int i = 0; i < 5000; ++i)
    catalog.add("t" + std::to_string(i), "s" + std::to_string(i % 7), false, false);
  for (std::uint32_t i = 0; i < 5000; i += 97) CHECK(catalog.find("p.t" + std::to_string(i)) == i);
  CHECK(catalog.suite_count() == 7);
}
