#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>

#include "code.hpp"

class Counted : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Counted);
  CPPUNIT_TEST(once);
  CPPUNIT_TEST(often);
  CPPUNIT_TEST(negative);
  CPPUNIT_TEST(zero);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    work(2);
  }
  void once() {
    work(1);
  }
  void often() {
    work(1000);
  }
  void negative() {
    CPPUNIT_ASSERT_EQUAL(-1, classify(-1));
  }
  void zero() {
    CPPUNIT_ASSERT_EQUAL(0, classify(0));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(Counted);

int main() {
  start_thread_if_asked();
  prepare();
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  const bool passed = runner.run();
  clean_up();
  return passed ? 0 : 1;
}
