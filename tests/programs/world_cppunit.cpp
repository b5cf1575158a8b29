#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>

#include "world.hpp"

class World : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(World);
  CPPUNIT_TEST(IsSeen);
  CPPUNIT_TEST_SUITE_END();

 public:
  void IsSeen() { world::print_all(); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(World);

int main() {
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  return runner.run() ? 0 : 1;
}
