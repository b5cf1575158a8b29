// A test case that hangs although doctest's timeout says how long it may take.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
#include <unistd.h>

TEST_CASE("hangs" * doctest::timeout(0.5)) {
  for (;;) pause();
}
TEST_CASE("passes" * doctest::timeout(0.5)) {
  CHECK(true);
}
