// Tests that end in every way a test can, each named for what it does. README.md says what becomes
// of each.
#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "behaviours.hpp"

namespace {

// ---- verdicts

TEST(Verdict, Passes) {
  SUCCEED();
}
TEST(Verdict, FailsWithMessage) {
  ASSERT_EQ(1, 2) << "the message";
}
TEST(Verdict, FailsTwice) {
  EXPECT_EQ(1, 2) << "first";
  EXPECT_EQ(3, 4) << "second";
}
TEST(Verdict, FailsInScope) {
  SCOPED_TRACE("in a scope");
  FAIL() << "inside";
}
TEST(Verdict, Skips) {
  GTEST_SKIP() << "not today";
}
TEST(Verdict, SkipsAfterFailure) {
  EXPECT_TRUE(false);
  GTEST_SKIP() << "too late";
}
TEST(Verdict, Throws) {
  throw std::runtime_error("thrown on purpose");
}
TEST(Verdict, ThrowsNoException) {
  throw 7;
}
TEST(Verdict, RecordsProperties) {
  RecordProperty("colour", "blue");
  RecordProperty("answer", 42);
}
TEST(Verdict, DISABLED_Passes) {
  SUCCEED();
}
TEST(Verdict, DISABLED_Fails) {
  FAIL() << "although disabled";
}
TEST(DISABLED_Suite, Passes) {
  SUCCEED();
}

class Fixture : public testing::Test {
 protected:
  void SetUp() override { m_value = 7; }
  void TearDown() override { std::puts("fixture torn down"); }
  int m_value = 0;
};
TEST_F(Fixture, IsSetUp) {
  EXPECT_EQ(7, m_value);
}
TEST_F(Fixture, IsTornDown) {
  FAIL() << "and then torn down";
}

class FailingFixture : public testing::Test {
 protected:
  void SetUp() override { FAIL() << "in SetUp"; }
};
TEST_F(FailingFixture, BodyNeverRuns) {
  std::puts("the body ran");
}

class SkippingFixture : public testing::Test {
 protected:
  void SetUp() override { GTEST_SKIP() << "in SetUp"; }
};
TEST_F(SkippingFixture, BodyNeverRuns) {
  std::puts("the body ran");
}

class FailingTearDown : public testing::Test {
 protected:
  void TearDown() override { FAIL() << "in TearDown"; }
};
TEST_F(FailingTearDown, BodyPasses) {
  SUCCEED();
}

// ---- ends

TEST(End, Aborts) {
  std::abort();
}
TEST(End, AbortsAfterFailure) {
  EXPECT_EQ(1, 2) << "before the end";
  std::abort();
}
TEST(End, Segfaults) {
  volatile int* const nowhere = nullptr;
  *nowhere = 1;
}
TEST(End, DividesByZero) {
  raise(SIGFPE);
}
TEST(End, KillsItself) {
  raise(SIGKILL);
}
TEST(End, TerminatesItself) {
  raise(SIGTERM);
}
TEST(End, KillsItsGroup) {
  kill(0, SIGKILL);
}
TEST(End, KillsItsParent) {
  kill(getppid(), SIGKILL);
  behaviours::wait_forever();
}
TEST(End, LeavesWithStatus0) {
  _exit(0);
}
TEST(End, LeavesWithStatus3) {
  _exit(3);
}
TEST(End, ExitsWithStatus0) {
  std::exit(0);
}
TEST(End, TerminatesOnException) {
  std::thread([] { throw std::runtime_error("out of a thread"); }).join();
}
TEST(End, OverflowsItsStack) {
  struct Recursion {
    static int deeper(volatile int* level) {
      volatile int here[1024] = {*level + 1};
      return *level < 0 ? 0 : deeper(here) + here[0];
    }
  };
  volatile int level = 0;
  EXPECT_EQ(0, Recursion::deeper(&level));
}
TEST(End, LoopsForever) {
  std::puts("about to loop");
  std::fflush(stdout);
  behaviours::loop_forever();
}
TEST(End, IgnoresTermForever) {
  signal(SIGTERM, SIG_IGN);
  behaviours::wait_forever();
}
TEST(End, StopsItself) {
  raise(SIGSTOP);
}

// ---- output

TEST(Output, PrintsToStdout) {
  std::puts("to stdout");
}
TEST(Output, PrintsToStderr) {
  std::fputs("to stderr\n", stderr);
}
TEST(Output, PrintsAndFails) {
  std::puts("to stdout");
  std::fputs("to stderr\n", stderr);
  FAIL() << "after printing";
}
TEST(Output, PrintsNoNewline) {
  std::printf("no newline");
}
TEST(Output, Prints100Megabytes) {
  behaviours::flood(1);
}
TEST(Output, Prints100MegabytesToStderr) {
  behaviours::flood(2);
}
TEST(Output, PrintsPackets) {
  behaviours::write_all(1, behaviours::forged_packets);
}
TEST(Output, PrintsNotUtf8) {
  behaviours::write_all(1, std::string("Gr\xfc\xdf"
                                       "e \xb3\x00 \xff\n",
                                       11));
}
TEST(Output, PrintsToAllDescriptors) {
  behaviours::noise_to_all_descriptors();
}
TEST(Output, ReadsStdinToItsEnd) {
  char byte = 0;
  EXPECT_EQ(0, read(0, &byte, 1));
}

// ---- processes and threads

TEST(Process, LeavesChild) {
  RecordProperty("pid", static_cast<int>(behaviours::leave_child()));
}
TEST(Process, LeavesChildAndFails) {
  RecordProperty("pid", static_cast<int>(behaviours::leave_child()));
  FAIL() << "beside its child";
}
TEST(Process, LeavesDaemon) {
  RecordProperty("pid", static_cast<int>(behaviours::leave_daemon()));
}
TEST(Process, ForkReturnsFromTheTest) {
  if (fork() != 0) wait(nullptr);
}
TEST(Process, ForkFailsAndReturns) {
  if (fork() == 0) {
    ADD_FAILURE() << "in the fork";
  } else {
    wait(nullptr);
  }
}
TEST(Process, ForkCrashes) {
  if (fork() == 0) std::abort();
  wait(nullptr);
}
TEST(Process, ClosesAllDescriptors) {
  behaviours::close_all_descriptors();
}
TEST(Process, ClosesAllDescriptorsAndFails) {
  behaviours::close_all_descriptors();
  FAIL() << "nobody hears this";
}
TEST(Process, LeavesThread) {
  std::thread(behaviours::wait_forever).detach();
}
TEST(Process, FailsInThread) {
  std::thread([] { EXPECT_EQ(1, 2) << "in a thread"; }).join();
}
TEST(Process, StartsThreadsAndPasses) {
  int sum = 0;
  std::thread([&] { sum = 42; }).join();
  EXPECT_EQ(42, sum);
}

// ---- isolation

// Each changes what a process has, and is right only where none ran before it in the same process.
int counter = 0;
void change_everything() {
  EXPECT_EQ(1, ++counter);
  EXPECT_EQ(nullptr, getenv("BEHAVIOURS"));
  setenv("BEHAVIOURS", "changed", 1);
  char directory[4096];
  ASSERT_NE(nullptr, getcwd(directory, sizeof directory));
  EXPECT_STRNE("/", directory);
  ASSERT_EQ(0, chdir("/"));
  const mode_t mask = umask(0777);
  EXPECT_NE(0777u, mask);
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_LT(16u, limit.rlim_cur);
  limit.rlim_cur = 16;
  setrlimit(RLIMIT_NOFILE, &limit);
}
TEST(Isolation, ChangesEverything) {
  change_everything();
}
TEST(Isolation, ChangesEverythingToo) {
  change_everything();
}
TEST(Isolation, LeaksMemory) {
  static volatile char* lost;
  lost = new char[1'000'000];
  lost[0] = 1;
  lost = nullptr;
}

// ---- death tests

[[noreturn]] void die(const char* text) {
  std::fprintf(stderr, "%s\n", text);
  std::abort();
}
TEST(DeathTest, DiesFast) {
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_DEATH(die("as told"), "as told");
}
TEST(DeathTest, DiesThreadsafe) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(die("as told"), "as told");
}
TEST(DeathTest, ExitsThreadsafe) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(_exit(3), testing::ExitedWithCode(3), "");
}
TEST(DeathTest, DoesNotDie) {
  EXPECT_DEATH(std::puts("alive"), "");
}
TEST(DeathTest, DiesOtherwise) {
  EXPECT_DEATH(die("something else"), "as told");
}

// ---- parameters, types, names

class Numbers : public testing::TestWithParam<int> {};
TEST_P(Numbers, AreSmall) {
  EXPECT_LT(GetParam(), 4);
}
TEST_P(Numbers, AreNotNegative) {
  EXPECT_LE(0, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Some, Numbers, testing::Range(0, 5));
INSTANTIATE_TEST_SUITE_P(Named, Numbers, testing::Values(1, 2), [](const auto& information) {
  return "n" + std::to_string(information.param);
});

template <typename T>
class Typed : public testing::Test {};
using Types = testing::Types<char, int, double>;
TYPED_TEST_SUITE(Typed, Types);
TYPED_TEST(Typed, FitsFourBytes) {
  EXPECT_LE(sizeof(TypeParam), 4u);
}

template <typename T>
class Pattern : public testing::Test {};
TYPED_TEST_SUITE_P(Pattern);
TYPED_TEST_P(Pattern, IsZeroAtFirst) {
  EXPECT_EQ(TypeParam{}, TypeParam{0});
}
REGISTER_TYPED_TEST_SUITE_P(Pattern, IsZeroAtFirst);
INSTANTIATE_TYPED_TEST_SUITE_P(My, Pattern, Types);

class Named : public testing::Test {
  void TestBody() override { SUCCEED(); }
};
const bool names_registered = [] {
  for (const char* const name : {"\u00fcml\u00e4ut", "with spaces", "tab\tand\nnewline",
                                 "control\x01", "not\xffutf8", "percent%41", "twice", "twice"}) {
    testing::RegisterTest("Names", name, nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new Named; });
  }
  return true;
}();

// ---- set-up of suites

// Set up once: the tests see one and the same process's work, and none sees what another did to it.
class ExpensiveSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    ++set_ups;
    value = new std::string("pristine");
    set_up_by = getpid();
  }
  static void TearDownTestSuite() { delete value; }
  static void use() {
    EXPECT_EQ(1, set_ups);
    EXPECT_EQ("pristine", *value);
    *value = "used";
    RecordProperty("set_up_by", static_cast<int>(set_up_by));
  }
  static inline int set_ups = 0;
  static inline std::string* value = nullptr;
  static inline pid_t set_up_by = 0;
};
TEST_F(ExpensiveSuite, IsUsed) {
  use();
}
TEST_F(ExpensiveSuite, IsUsedAgain) {
  use();
}
TEST_F(ExpensiveSuite, CrashesAlone) {
  std::abort();
}
TEST_F(ExpensiveSuite, IsUsedAfterTheCrash) {
  use();
}
TEST_F(ExpensiveSuite, DISABLED_IsUsed) {
  use();
}

class FailingSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() { FAIL() << "in SetUpTestSuite"; }
};
TEST_F(FailingSuite, NeverRuns) {
  std::puts("the body ran");
}
TEST_F(FailingSuite, NeverRunsEither) {
  std::puts("the body ran");
}

class SkippingSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() { GTEST_SKIP() << "in SetUpTestSuite"; }
};
TEST_F(SkippingSuite, PassesWhereItRuns) {
  SUCCEED();
}

class CrashingSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    std::fputs("about to crash\n", stderr);
    std::abort();
  }
};
TEST_F(CrashingSuite, NeverRuns) {
  std::puts("the body ran");
}
TEST_F(CrashingSuite, NeverRunsEither) {
  std::puts("the body ran");
}

class ExitingSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() { std::exit(0); }
};
TEST_F(ExitingSuite, NeverRuns) {
  std::puts("the body ran");
}

class HangingSuite : public testing::Test {
 protected:
  static void SetUpTestSuite() { behaviours::wait_forever(); }
};
TEST_F(HangingSuite, NeverRuns) {
  std::puts("the body ran");
}

class SuiteTearDownFails : public testing::Test {
 protected:
  static void TearDownTestSuite() { ADD_FAILURE() << "in TearDownTestSuite"; }
};
TEST_F(SuiteTearDownFails, Passes) {
  SUCCEED();
}
TEST_F(SuiteTearDownFails, PassesToo) {
  SUCCEED();
}

class SuiteTearDownCrashes : public testing::Test {
 protected:
  static void TearDownTestSuite() { std::abort(); }
};
TEST_F(SuiteTearDownCrashes, Passes) {
  SUCCEED();
}

// ---- set-up of the program

class Environment : public testing::Environment {
 public:
  void SetUp() override {
    ++set_ups;
    set_up_by = getpid();
  }
  static inline int set_ups = 0;
  static inline pid_t set_up_by = 0;
};
const auto* const environment = testing::AddGlobalTestEnvironment(new Environment);
TEST(GlobalEnvironment, IsSetUpOnce) {
  EXPECT_EQ(1, Environment::set_ups);
  RecordProperty("set_up_by", static_cast<int>(Environment::set_up_by));
}

// ---- time

class Slow : public testing::TestWithParam<int> {};
TEST_P(Slow, Takes200Milliseconds) {
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
}
INSTANTIATE_TEST_SUITE_P(Eight, Slow, testing::Range(0, 8));

}  // namespace
