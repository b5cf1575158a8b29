#include <gtest/gtest.h>

#include "lose.hpp"

namespace {

TEST(V, Fine) {}
TEST(V, InvalidRead) {
  int* volatile number = static_cast<int*>(std::malloc(sizeof(int)));
  const int behind = number[1];
  std::free(number);
  EXPECT_EQ(behind, behind);
}
TEST(V, Leak) {
  lose(44);
}

class S : public testing::Test {
 protected:
  static void SetUpTestSuite() {}
};
TEST_F(S, Fine) {}

}  // namespace
