// Runs its suites one by one, without a runner. Those behind the first are not served, and that
// is a failure.
#include <cppunit/TestResult.h>
#include <cppunit/TestResultCollector.h>
#include <cppunit/extensions/HelperMacros.h>

#include <cstdio>

class First : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(First);
  CPPUNIT_TEST(passes);
  CPPUNIT_TEST(fails);
  CPPUNIT_TEST_SUITE_END();

 public:
  void passes() {}
  void fails() { CPPUNIT_FAIL("the message"); }
};

class Second : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Second);
  CPPUNIT_TEST(passes);
  CPPUNIT_TEST_SUITE_END();

 public:
  void passes() {}
};

int main() {
  CppUnit::TestResult controller;
  CppUnit::TestResultCollector result;
  controller.addListener(&result);
  First::suite()->run(&controller);
  Second::suite()->run(&controller);
  std::printf("%d tests, %d failures\n", result.runTests(), result.testFailuresTotal());
  return result.wasSuccessful() ? 0 : 1;
}
