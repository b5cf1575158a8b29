// A main of its own, in the manner of a program that carries its tests within it: filters and
// options of its own, asserts outside of a test, work of its own behind the tests, and test cases
// in a second file.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <cstdio>

namespace {
int prepared = 0;
TEST_CASE("main has prepared") {
  CHECK(prepared == 1);
}
TEST_CASE("excluded by main") {
  CHECK(false);
}
}  // namespace

int main(int argc, char** argv) {
  doctest::Context context;
  context.addFilter("test-case-exclude", "excluded*");
  context.applyCommandLine(argc, argv);
  context.setAsDefaultForAssertsOutOfTestCases();
  context.setAssertHandler(
      [](const doctest::AssertData&) { std::puts("asserted outside of a test"); });
  CHECK(prepared == 1);
  prepared = 1;
  const int result = context.run();
  if (context.shouldExit()) return result;
  std::puts("the program's own work");
  return result;
}
