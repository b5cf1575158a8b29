#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include "world.hpp"

TEST_SUITE("World") {
  TEST_CASE("IsSeen") {
    world::print_all();
  }
}
