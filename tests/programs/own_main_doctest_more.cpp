// The second file of own_main_doctest.
#include <doctest/doctest.h>

TEST_SUITE("more") {
  TEST_CASE("passes") {
    CHECK(true);
  }
  TEST_CASE("fails") {
    CHECK(1 == 2);
  }
}
