// Tests that say more than other tools hand on: 5 MiB of output, of a message, of text in
// characters of several bytes, and one beside them.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

TEST(Large, Output) {
  const std::string line(1023, 'x');
  for (int i = 0; i < 5 * 1024; ++i) std::puts(line.c_str());
  std::puts("the last line");
  FAIL() << "after five megabytes";
}
TEST(Large, Message) {
  FAIL() << std::string(5 << 20, 'm');
}
TEST(Large, Characters) {
  for (int i = 0; i < (5 << 20) / 3; ++i) std::fputs("\u20ac", stdout);
  std::puts("!");
  FAIL();
}
TEST(Large, Beside) {
  FAIL() << "small";
}
TEST(Large, Lines) {
  FAIL() << "one\n\n  ...\n \nok 7 - no test\n1..9\n...";
}
