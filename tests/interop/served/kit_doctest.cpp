// What GoogleTest does not have: a test that fails as it is expected to.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

TEST_SUITE("verdict") {
  TEST_CASE("passes") {
    CHECK(1 + 1 == 2);
  }
  TEST_CASE("fails as expected" * doctest::should_fail()) {
    CHECK(1 == 2);
  }
}
