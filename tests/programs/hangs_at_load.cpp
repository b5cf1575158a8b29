// Never gets to main().
#include <gtest/gtest.h>
#include <unistd.h>

namespace {
const bool hung = [] {
  std::fputs("hanging at load\n", stderr);
  for (;;) pause();
  return true;
}();
TEST(Load, IsNeverReached) {
  EXPECT_TRUE(hung);
}
}  // namespace
