// A program whose global set-up starts processes that its tests use: a child, and a daemon that is
// nobody's child.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

pid_t child = 0;
pid_t daemon_pid = 0;

[[noreturn]] void wait_forever() {
  for (;;) pause();
}

class Helpers : public testing::Environment {
 public:
  void SetUp() override {
    child = fork();
    if (child == 0) wait_forever();
    int ends[2];
    ASSERT_EQ(0, pipe(ends));
    const pid_t between = fork();
    if (between == 0) {
      setsid();
      const pid_t daemon = fork();
      if (daemon == 0) wait_forever();
      _exit(write(ends[1], &daemon, sizeof daemon) == sizeof daemon ? 0 : 1);
    }
    ASSERT_EQ(static_cast<ssize_t>(sizeof daemon_pid),
              read(ends[0], &daemon_pid, sizeof daemon_pid));
    waitpid(between, nullptr, 0);
    close(ends[0]);
    close(ends[1]);
  }
  // A tear-down that finds its helper dead fails.
  void TearDown() override {
    EXPECT_EQ(0, kill(daemon_pid, SIGKILL));
    kill(child, SIGKILL);
    EXPECT_EQ(child, waitpid(child, nullptr, 0));
  }
};
const auto* const helpers = testing::AddGlobalTestEnvironment(new Helpers);

class Helped : public testing::TestWithParam<int> {};
TEST_P(Helped, ByBoth) {
  EXPECT_EQ(0, kill(child, 0));
  EXPECT_EQ(0, kill(daemon_pid, 0));
}
INSTANTIATE_TEST_SUITE_P(All, Helped, testing::Range(0, 20));

TEST(Helping, LeavesChild) {
  if (fork() == 0) wait_forever();
}
TEST(Helping, LeavesSession) {
  if (fork() == 0) {
    setsid();
    wait_forever();
  }
}

}  // namespace
