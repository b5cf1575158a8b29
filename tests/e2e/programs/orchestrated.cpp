// Tests for `hearth run`: what they do depends on what ran before them, by files in FAULTS_DIR.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace {

std::string path(const std::string& name) {
  const char* const folder = std::getenv("FAULTS_DIR");
  return std::string(folder != nullptr ? folder : ".") + "/" + name;
}

// How often this has been called with that name, by any process. One line of the file for each.
long times(const std::string& name) {
  const int fd = open(path(name).c_str(), O_RDWR | O_APPEND | O_CREAT, 0600);
  const std::string line = std::to_string(getpid()) + "\n";
  if (write(fd, line.data(), line.size()) < 0) return -1;
  const auto size = lseek(fd, 0, SEEK_END);
  std::string text(static_cast<std::size_t>(size), '\0');
  const auto got = pread(fd, text.data(), text.size(), 0);
  close(fd);
  long lines = 0;
  for (long i = 0; i < got; ++i) lines += text[static_cast<std::size_t>(i)] == '\n' ? 1 : 0;
  return lines;
}

// Returns once somebody has opened the gate.
void wait_at(const std::string& name) {
  const int fd = open(path(name).c_str(), O_RDONLY);
  char token = 0;
  while (fd >= 0 && read(fd, &token, 1) < 0) {
  }
  close(fd);
}

bool g_touched = false;

}  // namespace

TEST(Plain, One) {}
TEST(Plain, Two) {}
TEST(Plain, Fails) {
  FAIL() << "as it should";
}
TEST(Plain, Skips) {
  GTEST_SKIP() << "for a reason";
}

TEST(Again, PassesTheSecondTime) {
  EXPECT_GE(times("second"), 2);
}
TEST(Again, FailsTheThirdTime) {
  EXPECT_LT(times("third"), 3);
}

TEST(Waits, AtGate) {
  times("waiting");
  wait_at("gate");
}
TEST(Waits, AtGateToo) {
  times("waiting");
  wait_at("gate");
}

// One process: First touches what Second wants untouched.
TEST(State, First) {
  g_touched = true;
}
TEST(State, Between) {}
TEST(State, Second) {
  EXPECT_FALSE(g_touched);
}
