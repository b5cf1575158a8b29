// Tests that see whether others ran before them in their process.
#include <cppunit/BriefTestProgressListener.h>
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/TestRunner.h>
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/RepeatedTest.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/extensions/TestSetUp.h>

#include "sequence.hpp"

// Not in a namespace: that would be part of the names of the tests.
using namespace sequence;

class State : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(State);
  CPPUNIT_TEST(First);
  CPPUNIT_TEST(Second);
  CPPUNIT_TEST(Third);
  CPPUNIT_TEST(Fails);
  CPPUNIT_TEST_SUITE_END();

 public:
  void First() {
    here();
    first_has_run = true;
  }
  void Second() {
    here();
    CPPUNIT_ASSERT_MESSAGE("First has run here", !first_has_run);
  }
  void Third() { here(); }
  void Fails() {
    here();
    CPPUNIT_FAIL("on purpose");
  }
};

class End : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(End);
  CPPUNIT_TEST(Aborts);
  CPPUNIT_TEST(Exits);
  CPPUNIT_TEST(Hangs);
  CPPUNIT_TEST_SUITE_END();

 public:
  void Aborts() {
    here();
    std::fflush(stdout);
    std::abort();
  }
  void Exits() { std::exit(0); }
  void Hangs() { hang(); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(State);
CPPUNIT_TEST_SUITE_REGISTRATION(End);

class Decorated : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Decorated);
  CPPUNIT_TEST(One);
  CPPUNIT_TEST(Two);
  CPPUNIT_TEST_SUITE_END();

 public:
  void One() { tell("suite", "One"); }
  void Two() { tell("suite", "Two"); }
};

class Repeated : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Repeated);
  CPPUNIT_TEST(FailsTheThirdTime);
  CPPUNIT_TEST(Passes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void FailsTheThirdTime() {
    static int times = 0;
    CPPUNIT_ASSERT(++times != 3);
  }
  void Passes() { tell("repeated", "Passes"); }
};

class TellingSetUp : public CppUnit::TestSetUp {
 public:
  using CppUnit::TestSetUp::TestSetUp;
  void setUp() override { tell("suite", "set-up"); }
  void tearDown() override { tell("suite", "tear-down"); }
};

int main(int, char**) {
  CppUnit::TestResult controller;
  CppUnit::TestResultCollector result;
  controller.addListener(&result);
  CppUnit::BriefTestProgressListener progress;
  controller.addListener(&progress);
  CppUnit::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  runner.addTest(new TellingSetUp(Decorated::suite()));
  runner.addTest(new CppUnit::RepeatedTest(Repeated::suite(), 3));
  runner.run(controller);
  return result.wasSuccessful() ? 0 : 1;
}
