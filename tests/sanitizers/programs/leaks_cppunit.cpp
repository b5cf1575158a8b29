#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>

#include "lose.hpp"

class Suite : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Suite);
  CPPUNIT_TEST(fine);
  CPPUNIT_TEST(leaks);
  CPPUNIT_TEST(leaksAndFails);
  CPPUNIT_TEST(fineToo);
  CPPUNIT_TEST_SUITE_END();

 public:
  void fine() {}
  void leaks() { lose(44); }
  void leaksAndFails() {
    lose(45);
    CPPUNIT_FAIL("on purpose");
  }
  void fineToo() {}
};
CPPUNIT_TEST_SUITE_REGISTRATION(Suite);

int main() {
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  return runner.run() ? 0 : 1;
}
