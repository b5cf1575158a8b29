// Tests that end in every way a CppUnit test can. README.md says what becomes of each.
#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/CompilerOutputter.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/RepeatedTest.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/extensions/TestSetUp.h>

#include <iostream>
#include <stdexcept>
#include <thread>

#include "behaviours.hpp"

class Verdict : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Verdict);
  CPPUNIT_TEST(passes);
  CPPUNIT_TEST(fails_with_message);
  CPPUNIT_TEST(fails_with_values);
  CPPUNIT_TEST(throws);
  CPPUNIT_TEST(throws_no_exception);
  CPPUNIT_TEST_FAIL(fails_as_expected);
  CPPUNIT_TEST_FAIL(passes_unexpectedly);
  CPPUNIT_TEST_EXCEPTION(throws_as_expected, std::runtime_error);
  CPPUNIT_TEST(equal_name);
  CPPUNIT_TEST(equal_name);
  CPPUNIT_TEST_SUITE_END();

 public:
  void passes() { CPPUNIT_ASSERT(true); }
  void fails_with_message() { CPPUNIT_ASSERT_MESSAGE("the message", 1 == 2); }
  void fails_with_values() { CPPUNIT_ASSERT_EQUAL(1, 2); }
  void throws() { throw std::runtime_error("thrown on purpose"); }
  void throws_no_exception() { throw 7; }
  void fails_as_expected() { CPPUNIT_FAIL("as expected"); }
  void passes_unexpectedly() {}
  void throws_as_expected() { throw std::runtime_error("as expected"); }
  void equal_name() {}
};
CPPUNIT_TEST_SUITE_REGISTRATION(Verdict);

class Fixture : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Fixture);
  CPPUNIT_TEST(is_set_up);
  CPPUNIT_TEST(fails_and_is_torn_down);
  CPPUNIT_TEST(fails_twice);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { m_value = 7; }
  void tearDown() override {
    std::puts("torn down");
    CPPUNIT_ASSERT_MESSAGE("in tearDown", !m_tear_down_fails);
  }
  void is_set_up() { CPPUNIT_ASSERT_EQUAL(7, m_value); }
  void fails_and_is_torn_down() { CPPUNIT_FAIL("and then torn down"); }
  void fails_twice() {
    m_tear_down_fails = true;
    CPPUNIT_FAIL("in the test");
  }

 private:
  int m_value = 0;
  bool m_tear_down_fails = false;
};
CPPUNIT_TEST_SUITE_REGISTRATION(Fixture);

class FailingSetUp : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FailingSetUp);
  CPPUNIT_TEST(never_runs);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override { CPPUNIT_FAIL("in setUp"); }
  void never_runs() { std::puts("the body ran"); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(FailingSetUp);

class End : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(End);
  CPPUNIT_TEST(aborts);
  CPPUNIT_TEST(segfaults);
  CPPUNIT_TEST(kills_itself);
  CPPUNIT_TEST(leaves_with_status_0);
  CPPUNIT_TEST(exits_with_status_0);
  CPPUNIT_TEST(loops_forever);
  CPPUNIT_TEST_SUITE_END();

 public:
  void aborts() { std::abort(); }
  void segfaults() {
    volatile int* const nowhere = nullptr;
    *nowhere = 1;
  }
  void kills_itself() { raise(SIGKILL); }
  void leaves_with_status_0() { _exit(0); }
  void exits_with_status_0() { std::exit(0); }
  void loops_forever() { behaviours::loop_forever(); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(End);

class Process : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Process);
  CPPUNIT_TEST(prints);
  CPPUNIT_TEST(prints_in_a_thread_and_fails);
  CPPUNIT_TEST(prints_packets);
  CPPUNIT_TEST(prints_subunit_v1);
  CPPUNIT_TEST(prints_100_megabytes);
  CPPUNIT_TEST(closes_stdout_and_fails);
  CPPUNIT_TEST(leaves_child);
  CPPUNIT_TEST(fork_returns_from_the_test);
  CPPUNIT_TEST(fork_fails_and_returns);
  CPPUNIT_TEST(changes_a_global);
  CPPUNIT_TEST(sees_no_change);
  CPPUNIT_TEST_SUITE_END();

 public:
  void prints() {
    std::puts("to stdout");
    std::fputs("to stderr\n", stderr);
  }
  // The verdict goes out while the thread prints.
  void prints_in_a_thread_and_fails() {
    std::thread([] {
      for (;;) behaviours::write_all(1, "success: Process::prints_in_a_thread_and_fails\n");
    }).detach();
    CPPUNIT_FAIL("beside a thread");
  }
  void prints_packets() { behaviours::write_all(1, behaviours::forged_packets); }
  void prints_subunit_v1() {
    std::puts("failure: Process::prints_subunit_v1 [\nno failure of this test\n]");
    std::fflush(stdout);
  }
  void prints_100_megabytes() { behaviours::flood(1); }
  void closes_stdout_and_fails() {
    close(1);
    CPPUNIT_FAIL("without stdout");
  }
  void leaves_child() { CPPUNIT_ASSERT(behaviours::leave_child() > 0); }
  void fork_returns_from_the_test() {
    if (fork() != 0) wait(nullptr);
  }
  void fork_fails_and_returns() {
    if (fork() == 0) CPPUNIT_FAIL("in the fork");
    wait(nullptr);
  }
  void changes_a_global() {
    static int counter = 0;
    CPPUNIT_ASSERT_EQUAL(1, ++counter);
    setenv("BEHAVIOURS", "changed", 1);
  }
  void sees_no_change() { CPPUNIT_ASSERT(getenv("BEHAVIOURS") == nullptr); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(Process);

// A suite whose decorator sets up and tears down around all its tests: here around each, in its own
// process.
class Decorated : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Decorated);
  CPPUNIT_TEST(is_set_up);
  CPPUNIT_TEST(passes_three_times);
  CPPUNIT_TEST(fails_the_third_time);
  CPPUNIT_TEST_SUITE_END();

 public:
  static inline int set_ups = 0;
  void is_set_up() { CPPUNIT_ASSERT_EQUAL(1, set_ups); }
  void passes_three_times() {
    static int times = 0;
    CPPUNIT_ASSERT(++times <= 3);
  }
  void fails_the_third_time() {
    static int times = 0;
    CPPUNIT_ASSERT_MESSAGE("the third time", ++times < 3);
  }
};

class SetUpOnce : public CppUnit::TestSetUp {
 public:
  using TestSetUp::TestSetUp;
  void setUp() override { ++Decorated::set_ups; }
  void tearDown() override { std::puts("decorator torn down"); }
};

// A test of its own kind: no TestCase, no fixture.
class Bare : public CppUnit::TestLeaf {
 public:
  std::string getName() const override { return "bare test"; }
  void run(CppUnit::TestResult* result) override {
    result->startTest(this);
    result->endTest(this);
  }
};

// A suite in a suite.
static CppUnit::Test* nested() {
  auto* const inner = new CppUnit::TestSuite("Inner");
  inner->addTest(new Bare);
  auto* const outer = new CppUnit::TestSuite("Outer");
  outer->addTest(inner);
  outer->addTest(new SetUpOnce(new CppUnit::RepeatedTest(Decorated::suite(), 3)));
  return outer;
}

// A main of the program's own, with a collector and a listener, as CppUnit's documentation has it.
int main(int, char**) {
  CppUnit::TestResult controller;
  CppUnit::TestResultCollector result;
  controller.addListener(&result);
  CppUnit::BriefTestProgressListener progress;
  controller.addListener(&progress);
  CppUnit::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  runner.addTest(nested());
  runner.run(controller);
  CppUnit::CompilerOutputter outputter(&result, std::cerr);
  outputter.write();
  return result.wasSuccessful() ? 0 : 1;
}
