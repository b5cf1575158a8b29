// A program that says no at its end, in one way or another, after tests that pass.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "ends.hpp"

TEST_SUITE("Test") {
  TEST_CASE("Passes") {}
  TEST_CASE("Registers") {
    ends::registers();
  }
  TEST_CASE("AbortsAtItsEnd") {
    ends::aborts_at_its_end();
  }
  TEST_CASE("ExitsWith3AtItsEnd") {
    ends::exits_with_3_at_its_end();
  }
  TEST_CASE("CallsExit") {
    ends::registers();
    std::exit(5);
  }
}

int main(int argc, char** argv) {
  ends::begin();
  doctest::Context context(argc, argv);
  return ends::end(context.run());
}
