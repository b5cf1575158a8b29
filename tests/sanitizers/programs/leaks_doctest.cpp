#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "lose.hpp"

TEST_CASE("fine") {
  CHECK(true);
}
TEST_CASE("leaks") {
  lose(44);
}
TEST_CASE("leaks and fails") {
  lose(45);
  CHECK(1 == 2);
}
TEST_CASE("leaks in a subcase") {
  SUBCASE("this one") {
    lose(46);
  }
  SUBCASE("and not this one") {
    CHECK(true);
  }
}
TEST_CASE("fine too") {
  CHECK(true);
}
