// 10,000 test cases that cost nothing, registered the way doctest's macros do it.
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <string>

namespace {
void nothing() {
  CHECK(true);
}
const bool registered = [] {
  static std::string names[10'000];
  for (unsigned i = 0; i < 10'000; ++i) {
    names[i] = "test " + std::to_string(i);
    const auto& suite = doctest_detail_test_suite_ns::getCurrentTestSuite();
    doctest::detail::regTest(doctest::detail::TestCase(nothing, __FILE__, i, suite) *
                             names[i].c_str());
  }
  return true;
}();
}  // namespace
