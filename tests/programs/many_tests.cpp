// 10,000 tests that cost nothing.
#include <gtest/gtest.h>

namespace {
class Many : public testing::TestWithParam<int> {};
TEST_P(Many, Pass) {
  EXPECT_LE(0, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Tests, Many, testing::Range(0, 10'000));
}  // namespace
