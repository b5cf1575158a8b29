// A main of its own, which takes arguments and sets up before the tests.
#include <gtest/gtest.h>

#include <string>

namespace {
std::string greeting;
TEST(OwnMain, IsSetUp) {
  EXPECT_FALSE(greeting.empty());
}
TEST(OwnMain, WasGivenHello) {
  EXPECT_EQ("hello", greeting);
}
}  // namespace

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  greeting = argc > 1 ? argv[1] : "nothing";
  const int result = RUN_ALL_TESTS();
  std::puts("main is done");
  return result;
}
