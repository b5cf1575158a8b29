// What sanitizers report: one of them at a time, by -D.
#include <gtest/gtest.h>

#include <climits>
#include <cstdio>
#include <thread>

namespace {

int* volatile behind = nullptr;
volatile int largest = INT_MAX;
int shared = 0;

void race() {
  std::thread one([] { ++shared; });
  std::thread other([] { ++shared; });
  one.join();
  other.join();
}

TEST(Reports, Fine) {}

#ifdef ADDRESS
int overflow() {
  int* const numbers = new int[4];
  behind = numbers;
  const int value = behind[4];
  delete[] numbers;
  return value;
}
TEST(Reports, Overflow) {
  EXPECT_NE(overflow(), 7);
}
TEST(Reports, OverflowAfterMuchElse) {
  for (int i = 0; i < 100; ++i) std::fprintf(stderr, "line %d\n", i);
  EXPECT_NE(overflow(), 7);
}
#endif

#ifdef UNDEFINED
TEST(Reports, Undefined) {
  EXPECT_LT(largest + 1, 0);
}
TEST(Reports, UndefinedAndFails) {
  EXPECT_GT(largest + 1, 0);
}
#endif

#ifdef THREADS
TEST(Reports, Race) {
  race();
}
TEST(Reports, OneThread) {
  std::thread([] { ++shared; }).join();
  EXPECT_GE(shared, 1);
}
#endif

}  // namespace

void (*const used)() = race;
