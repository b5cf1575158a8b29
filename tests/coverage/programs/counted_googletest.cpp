#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.hpp"

// A handler of the program's own.
void leave(int signal) {
  std::puts("the program's handler");
  std::fflush(stdout);
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

class World : public testing::Environment {
 public:
  void SetUp() override {
    start_thread_if_asked();
    if (std::getenv("OWN_HANDLER") != nullptr) std::signal(SIGSEGV, leave);
    prepare();
  }
  void TearDown() override {
    clean_up();
  }
};
testing::Environment* const world = testing::AddGlobalTestEnvironment(new World);

TEST(Counted, Once) {
  work(1);
}

TEST(Counted, Often) {
  work(1000);
}

TEST(Counted, Negative) {
  EXPECT_EQ(classify(-1), -1);
}

TEST(Counted, AtItsEnd) {
  std::atexit([] {
    at_end_of_test();
  });
}

TEST(Counted, InFork) {
  const pid_t pid = fork();
  if (pid == 0) _exit(0);
  EXPECT_EQ(waitpid(pid, nullptr, 0), pid);
}

class Suite : public testing::Test {
 protected:
  static void SetUpTestSuite() {  // set-up
    prepare_suite();              // set-up
  }  // set-up
  static void TearDownTestSuite() {  // tear-down
    clean_up_suite();                // tear-down
  }  // tear-down
};

TEST_F(Suite, One) {
  EXPECT_EQ(classify(0), 0);
}

TEST_F(Suite, Two) {
  work(2);
}

class Numbered : public testing::TestWithParam<int> {};
TEST_P(Numbered, Works) {
  work(GetParam());
}
INSTANTIATE_TEST_SUITE_P(Many, Numbered, testing::Range(1, 40));

// What follows ends the plain program.

TEST(Ends, DISABLED_Crashes) {
  crash();
}

TEST(Ends, DISABLED_Overflows) {
  before_crash();
  EXPECT_EQ(overflow(0), 0);
}

TEST(Ends, DISABLED_Aborts) {
  before_abort();
  std::abort();
}

TEST(Ends, DISABLED_Hangs) {
  before_term();
  for (;;) pause();
}

TEST(Ends, DISABLED_IgnoresTerm) {
  std::signal(SIGTERM, SIG_IGN);
  before_kill();
  for (;;) pause();
}
