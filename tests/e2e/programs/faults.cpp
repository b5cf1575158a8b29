// A program whose tests do what a server has to survive.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "meeting.hpp"

namespace {

[[noreturn]] void wait_forever() {
  for (;;) pause();
}

// Waits until all others have let go of a pipe.
class Latch {
 public:
  Latch() {
    if (pipe2(m_ends, O_CLOEXEC) != 0) std::abort();
  }
  void wait_for_others() {
    close(m_ends[1]);
    char byte = 0;
    while (read(m_ends[0], &byte, 1) > 0) {
    }
    close(m_ends[0]);
  }
  void let_go() { close(m_ends[1]); }
  bool is_mine(int fd) const { return fd == m_ends[1]; }

 private:
  int m_ends[2];
};

// A process without parent, group, session or descriptors of ours; it tells its pid in the file.
void start_daemon(const std::string& file, char** environment) {
  Latch latch;
  const pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() != 0) _exit(0);
    tell_pid(file);
    for (int fd = 0; fd < 1024; ++fd) {
      if (!latch.is_mine(fd)) close(fd);
    }
    if (environment == nullptr) {
      latch.let_go();
      wait_forever();
    }
    char* const arguments[] = {const_cast<char*>("sleep"), const_cast<char*>("1000000"), nullptr};
    execve("/bin/sleep", arguments, environment);
    _exit(1);
  }
  waitpid(child, nullptr, 0);
  latch.wait_for_others();
}

// ---- what the program does as it starts, where it is asked to

const bool started_thread = [] {
  if (std::getenv("FAULTS_THREAD") != nullptr) std::thread(wait_forever).detach();
  return true;
}();

class Forking : public testing::Environment {
 public:
  // The fork comes back from here too.
  void SetUp() override {
    if (std::getenv("FAULTS_FORK") != nullptr && fork() == 0) tell_pid("daemons");
  }
};
const auto* const forking = testing::AddGlobalTestEnvironment(new Forking);

// ---- tests that are there while others do something

class Bystander : public testing::TestWithParam<int> {};
TEST_P(Bystander, Waits) {
  tell_pid("bystanders");
  pass_gate("bystander");
}
INSTANTIATE_TEST_SUITE_P(All, Bystander, testing::Range(0, 90));

class Quick : public testing::TestWithParam<int> {};
TEST_P(Quick, Passes) {}
INSTANTIATE_TEST_SUITE_P(All, Quick, testing::Range(0, 200));

// ---- output

TEST(Output, PrintsThenWaits) {
  std::puts("before the gate");
  std::fprintf(stderr, "before the gate, too\n");
  std::fflush(stdout);
  pass_gate("output");
  std::puts("behind the gate");
}
TEST(Output, Prints1Megabyte) {
  const std::string line(99, 'x');
  for (int i = 0; i < 10'000; ++i) std::puts(line.c_str());
}
TEST(Output, Prints40MegabytesOfOctets) {
  std::string block(1 << 20, '\0');
  for (std::size_t i = 0; i < block.size(); ++i)
    block[i] = static_cast<char>(0xff - (i * 31) % 251);
  for (int i = 0; i < 40; ++i) fwrite(block.data(), 1, block.size(), stdout);
}
TEST(Output, FailsForever) {
  for (;;) ADD_FAILURE() << std::string(200, 'f');
}
TEST(Output, PrintsForever) {
  const std::string line(999, 'p');
  for (;;) std::puts(line.c_str());
}

// ---- processes

TEST(Kills, ItsParent) {
  tell_pid("killers");
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST(Kills, ItsParentToo) {
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST(Kills, ItsParentAsWell) {
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST(Kills, ItsParentOnce) {
  std::puts("one attempt");
  std::fflush(stdout);
  if (!is_first("killed-once")) return;
  tell_pid("killers");
  pass_gate("kill");
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST(Stops, ItsParent) {
  tell("stopped", std::to_string(getppid()));
  ASSERT_EQ(0, kill(getppid(), SIGSTOP));
}
TEST(Stops, Itself) {
  raise(SIGSTOP);
}
TEST(Ignores, Term) {
  signal(SIGTERM, SIG_IGN);
  tell_pid("ignoring");
  wait_forever();
}
TEST(Heeds, Term) {
  signal(SIGTERM, [](int) { tell("heard", "TERM"); });
  pause();
}
TEST(Leaves, Daemon) {
  start_daemon("daemons", environ);
}
TEST(Leaves, DaemonAndFails) {
  start_daemon("daemons", environ);
  FAIL() << "beside the daemon";
}
TEST(Leaves, DaemonWithoutEnvironment) {
  char* nothing[] = {nullptr};
  start_daemon("daemons", nothing);
}
TEST(Leaves, DaemonAndWaits) {
  start_daemon("daemons", nullptr);
  pass_gate("daemon");
}
TEST(Leaves, Family) {
  Latch latch;
  for (int i = 0; i < 30; ++i) {
    if (fork() != 0) continue;
    if (i % 2 == 0) setsid();
    tell_pid("daemons");
    latch.let_go();
    wait_forever();
  }
  latch.wait_for_others();
}
TEST(Leaves, Nothing) {}
TEST(Prints, ItsLimits) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  std::printf("descriptors %llu\n", static_cast<unsigned long long>(limit.rlim_cur));
  sigset_t mask;
  sigprocmask(SIG_SETMASK, nullptr, &mask);
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    if (action.sa_handler == SIG_IGN) std::printf("ignored %d\n", signal);
    if (sigismember(&mask, signal) == 1) std::printf("blocked %d\n", signal);
  }
  for (int fd = 0; fd < 1024; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) std::printf("open %d\n", fd);
  }
  std::printf("group %d session %d\n", getpgrp() == getpid(), getsid(0) == getppid());
}
TEST(Prints, ItsPlace) {
  char directory[4096];
  std::printf("in %s\n", getcwd(directory, sizeof directory));
  const char* const variable = std::getenv("FAULTS_VARIABLE");
  std::printf("FAULTS_VARIABLE %s\n", variable == nullptr ? "unset" : variable);
  std::printf("HEARTH_CHANNEL %s\n", std::getenv("HEARTH_CHANNEL") == nullptr ? "unset" : "set");
}

// ---- suites

class Expensive : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tell_pid("set-ups");
    value = 1;
  }
  static void TearDownTestSuite() { tell_pid("tear-downs"); }
  static inline int value = 0;
};
TEST_F(Expensive, One) {
  EXPECT_EQ(1, value++);
}
TEST_F(Expensive, Two) {
  EXPECT_EQ(1, value++);
}
TEST_F(Expensive, Waits) {
  tell_pid("bystanders");
  pass_gate("bystander");
  EXPECT_EQ(1, value++);
}
TEST_F(Expensive, KillsItsParent) {
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST_F(Expensive, KillsItsParentOnce) {
  if (!is_first("suite-killed")) return;
  kill(getppid(), SIGKILL);
  wait_forever();
}
TEST_F(Expensive, StopsItsParent) {
  kill(getppid(), SIGSTOP);
}
TEST_F(Expensive, LeavesDaemon) {
  start_daemon("daemons", environ);
}

class WaitingTearDown : public testing::Test {
 protected:
  static void TearDownTestSuite() {
    tell_pid("tearing-down");
    pass_gate("teardown");
  }
};
TEST_F(WaitingTearDown, One) {}
TEST_F(WaitingTearDown, Two) {}
TEST_F(WaitingTearDown, Three) {}

class WaitingSetUp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tell_pid("setting-up");
    pass_gate("setup");
  }
};
TEST_F(WaitingSetUp, One) {}
TEST_F(WaitingSetUp, Two) {}
TEST_F(WaitingSetUp, Three) {}

class HangingTearDown : public testing::Test {
 protected:
  static void TearDownTestSuite() { wait_forever(); }
};
TEST_F(HangingTearDown, Passes) {}

class KillingSetUp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tell_pid("killers");
    kill(getppid(), SIGKILL);
    wait_forever();
  }
};
TEST_F(KillingSetUp, One) {}
TEST_F(KillingSetUp, Two) {}
TEST_F(KillingSetUp, Three) {}

class ThreadingSetUp : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::thread(wait_forever).detach(); }
};
TEST_F(ThreadingSetUp, Passes) {}

class ForkingSetUp : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (fork() == 0) tell_pid("daemons");
  }
};
TEST_F(ForkingSetUp, One) {}
TEST_F(ForkingSetUp, Two) {}

class HelpedSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    const pid_t child = fork();
    if (child == 0) wait_forever();
    helper = child;
  }
  static void TearDownTestSuite() {
    kill(helper, SIGKILL);
    waitpid(helper, nullptr, 0);
  }
  static inline pid_t helper = 0;
};
TEST_F(HelpedSuite, One) {
  EXPECT_EQ(0, kill(helper, 0));
}
TEST_F(HelpedSuite, LeavesDaemon) {
  start_daemon("daemons", environ);
}
TEST_F(HelpedSuite, Two) {
  EXPECT_EQ(0, kill(helper, 0));
}

}  // namespace
