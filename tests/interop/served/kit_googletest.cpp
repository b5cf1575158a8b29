// One test of each kind that the conformance kit asks for, and no more: its servers start often.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>
#include <cstdio>

namespace {

TEST(Verdict, Passes) {
  SUCCEED();
}
TEST(Verdict, PassesToo) {
  SUCCEED();
}
TEST(Verdict, Fails) {
  EXPECT_EQ(1, 2) << "on purpose: Größe";
}
TEST(Verdict, Skips) {
  GTEST_SKIP() << "on purpose";
}
TEST(Verdict, Records) {
  RecordProperty("seed", "42");
}
TEST(Verdict, Prints) {
  std::puts("Größe: 3 µm");
}
TEST(Verdict, PrintsBytes) {
  const char bytes[] = "text \xc3\xbc\xff\0more\xc3";
  std::fwrite(bytes, 1, sizeof bytes - 1, stdout);
}

TEST(End, Crashes) {
  std::raise(SIGSEGV);
}
TEST(End, LeavesWithStatus0) {
  _exit(0);
}
TEST(End, Hangs) {
  std::puts("before the hang");
  std::fflush(stdout);
  for (;;) pause();
}

}  // namespace
