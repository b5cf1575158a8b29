// Starts a thread while its static objects are initialised: it cannot be forked safely.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace {
const bool started = [] {
  std::thread([] {
    for (;;) std::this_thread::sleep_for(std::chrono::hours(1));
  }).detach();
  return true;
}();

int counter = 0;
TEST(Threads, Pass) {
  EXPECT_EQ(1, ++counter);
}
TEST(Threads, PassToo) {
  EXPECT_EQ(1, ++counter);
}
TEST(Threads, Fail) {
  FAIL() << "the message";
}
TEST(Threads, Abort) {
  std::abort();
}
}  // namespace
