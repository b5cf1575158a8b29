#include <gtest/gtest.h>

#include "world.hpp"

TEST(World, IsSeen) {
  world::print_all();
}

class SetUpWorld : public testing::Test {
 protected:
  static void SetUpTestSuite() {}
};
TEST_F(SetUpWorld, IsSeen) {
  world::print_all();
}
