// TEST_COUNT tests that cost nothing.
#include <gtest/gtest.h>

namespace {

class Many : public testing::TestWithParam<int> {};
TEST_P(Many, Trivial) {
  EXPECT_GE(GetParam(), 0);
}
INSTANTIATE_TEST_SUITE_P(All, Many, testing::Range(0, TEST_COUNT));

}  // namespace
