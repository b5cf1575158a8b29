// Runs its tests in two goes. Those of the second go are not served, and that is a failure.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

TEST_CASE("one") {
  CHECK(true);
}
TEST_CASE("two") {
  CHECK(true);
}

int main(int argc, char** argv) {
  int failed = 0;
  for (const char* const name : {"one", "two"}) {
    doctest::Context context(argc, argv);
    context.addFilter("test-case", name);
    failed += context.run();
  }
  return failed;
}
