// A program that says no at its end, in one way or another, after tests that pass.
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>

#include "ends.hpp"

class Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Test);
  CPPUNIT_TEST(Passes);
  CPPUNIT_TEST(Registers);
  CPPUNIT_TEST(AbortsAtItsEnd);
  CPPUNIT_TEST(ExitsWith3AtItsEnd);
  CPPUNIT_TEST(CallsExit);
  CPPUNIT_TEST_SUITE_END();

 public:
  void Passes() {}
  void Registers() { ends::registers(); }
  void AbortsAtItsEnd() { ends::aborts_at_its_end(); }
  void ExitsWith3AtItsEnd() { ends::exits_with_3_at_its_end(); }
  void CallsExit() {
    ends::registers();
    std::exit(5);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(Test);

int main() {
  ends::begin();
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  return ends::end(runner.run("", false) ? 0 : 1);
}
