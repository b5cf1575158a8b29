// Aborts while its static objects are initialised.
#include <gtest/gtest.h>

#include <cstdlib>

namespace {
const bool dead = [] {
  std::fputs("dying at load\n", stderr);
  std::abort();
  return true;
}();
TEST(Load, IsNeverReached) {
  EXPECT_TRUE(dead);
}
}  // namespace
