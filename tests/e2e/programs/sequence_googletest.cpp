// Tests that see whether others ran before them in their process.
#include <gtest/gtest.h>
#include <signal.h>

#include "sequence.hpp"

namespace {
using namespace sequence;

TEST(State, First) {
  here();
  first_has_run = true;
}
TEST(State, Second) {
  here();
  EXPECT_FALSE(first_has_run) << "First has run here";
}
TEST(State, Third) {
  here();
}
TEST(State, Fails) {
  here();
  FAIL() << "on purpose";
}
TEST(State, Skips) {
  here();
  GTEST_SKIP() << "not today";
}
TEST(State, RecordsFirst) {
  RecordProperty("first", "1");
}
TEST(State, RecordsSecond) {
  RecordProperty("second", "2");
}
TEST(State, DISABLED_Hidden) {
  here();
}

TEST(End, Aborts) {
  here();
  std::fflush(stdout);
  std::abort();
}
TEST(End, Exits) {
  std::exit(0);
}
TEST(End, Hangs) {
  here();
  std::fflush(stdout);
  hang();
}
TEST(End, HangsOnTerm) {
  signal(SIGTERM, SIG_IGN);
  hang();
}
TEST(End, ClosesEverything) {
  for (int fd = 3; fd < 1024; ++fd) close(fd);
}
TEST(End, DeathTest) {
  EXPECT_DEATH(std::abort(), "");
}
TEST(End, ForkReturns) {
  if (fork() == 0) return;  // to the framework
}

TEST(Gate, Waits) {
  tell("waiting", std::to_string(getpid()));
  pass_gate("gate");
}

// Tells its own life.
class Suite : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tell("suite", "set-up");
    std::puts("suite's set-up");
    ++set_ups;
  }
  static void TearDownTestSuite() {
    tell("suite", "tear-down");
    std::puts("suite's tear-down");
  }
  static int set_ups;
};
int Suite::set_ups = 0;
TEST_F(Suite, One) {
  tell("suite", "One");
  here();
}
TEST_F(Suite, Two) {
  tell("suite", "Two");
  here();
}
TEST_F(Suite, SetUpOnce) {
  EXPECT_EQ(1, set_ups);
}

class SetUpFails : public testing::Test {
 protected:
  static void SetUpTestSuite() { FAIL() << "no set-up"; }
};
TEST_F(SetUpFails, One) {}
TEST_F(SetUpFails, Two) {}

class TearDownFails : public testing::Test {
 protected:
  static void TearDownTestSuite() { ADD_FAILURE() << "no tear-down"; }
};
TEST_F(TearDownFails, One) {}
TEST_F(TearDownFails, Two) {}

class TearDownAborts : public testing::Test {
 protected:
  static void TearDownTestSuite() { std::abort(); }
};
TEST_F(TearDownAborts, One) {}

// Starts a process for its tests, as a test of a network does with its server.
class Helper : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    helper = fork();
    if (helper != 0) return;
    for (;;) {
      pass_gate("helper");
      if (std::puts("the helper's word") < 0 || std::fflush(stdout) != 0) _exit(1);
      tell("helped", "1");
    }
  }
  static pid_t helper;
};
pid_t Helper::helper = 0;
TEST_F(Helper, IsThere) {
  EXPECT_EQ(0, kill(helper, 0));
}
TEST_F(Helper, IsStillThere) {
  tell("asking", "1");
  pass_gate("gate");
  EXPECT_EQ(0, kill(helper, 0));
}

}  // namespace
