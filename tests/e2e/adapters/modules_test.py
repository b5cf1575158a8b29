#!/usr/bin/python3
"""One source file, compiled and linked with the flags of a pkg-config module, is a served program. Without the
adapter it does not link, and the linker says what to do. TAP.

Usage: modules_test.py HEARTH UNINSTALLED COMPILER...
UNINSTALLED is the build folder's meson-uninstalled.
"""

import os
import subprocess
import sys
import tempfile

import served
import tap

DOCTEST = """
#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>
TEST_CASE("passes") { CHECK(true); }
TEST_CASE("fails") { CHECK(1 == 2); }
"""

# As with a copy of doctest.h beside the source file, which the wrapper cannot come before.
DOCTEST_BY_HAND = DOCTEST.replace("<doctest/doctest.h>", '"/usr/include/doctest/doctest.h"')

CPPUNIT = """
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>
class Suite : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Suite);
  CPPUNIT_TEST(passes);
  CPPUNIT_TEST(fails);
  CPPUNIT_TEST_SUITE_END();
 public:
  void passes() {}
  void fails() { CPPUNIT_FAIL("on purpose"); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(Suite);
int main() {
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  return runner.run() ? 0 : 1;
}
"""


class Workshop:
    def __init__(self, checks, hearth, uninstalled, compiler, directory):
        self.m_checks = checks
        self.m_hearth = hearth
        self.m_environment = dict(os.environ, PKG_CONFIG_PATH=uninstalled)
        self.m_compiler = compiler
        self.m_program = os.path.join(directory, "program")

    def flags(self, kind, module):
        done = subprocess.run(["pkg-config", kind, module], env=self.m_environment, capture_output=True, check=True)
        return done.stdout.decode().split()

    def build(self, source, compile_flags, link_flags):
        """What the compiler and the linker say; nothing when all is well."""
        with open(self.m_program + ".cpp", "w", encoding="utf-8") as file:
            file.write(source)
        strict = ["-std=c++17", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror", "-fvisibility=hidden"]
        command = [*self.m_compiler, *strict, *compile_flags, file.name, "-o", self.m_program, *link_flags]
        return subprocess.run(command, capture_output=True, check=False).stderr.decode()

    def serves(self, name, tests):
        listed = served.list_ids(self.m_hearth, self.m_program)
        results, _ = served.run(self.m_hearth, [self.m_program])
        self.m_checks.equal(f"{name}: listed", listed, [f"program.{test}" for test in tests])
        self.m_checks.equal(f"{name}: passes and fails", [results[test_id].status for test_id in listed],
                            ["success", "fail"])

    def check_served(self, module, source, tests, extra=()):
        name = module + (" by hand" if extra else "")
        said = self.build(source, self.flags("--cflags", module) + list(extra), self.flags("--libs", module))
        if self.m_checks.check(f"{name}: builds without a warning", not said, said):
            self.serves(name, tests)

    def check_adapter_missing(self, module, source, needs, says):
        said = self.build(source, needs, self.flags("--libs", module))
        self.m_checks.check(f"{module}: without the adapter it does not link", "undefined" in said and says in said, said)


def main():
    hearth, uninstalled, *compiler = sys.argv[1:]
    checks = tap.Checks()
    with tempfile.TemporaryDirectory() as directory:
        workshop = Workshop(checks, hearth, uninstalled, compiler, directory)
        workshop.check_served("hearth-doctest", DOCTEST, ["passes", "fails"])
        workshop.check_adapter_missing("hearth-doctest", DOCTEST_BY_HAND, workshop.flags("--cflags", "hearth-doctest"),
                                       "include_hearth_doctest_hpp_after_doctest_h")
        by_hand = DOCTEST_BY_HAND.replace('doctest.h"\n', 'doctest.h"\n#include <hearth/doctest.hpp>\n')
        workshop.check_served("hearth-doctest", by_hand, ["passes", "fails"], extra=["-DBY_HAND"])
        workshop.check_served("hearth-cppunit", CPPUNIT, ["Suite.passes", "Suite.fails"])
        workshop.check_adapter_missing("hearth-cppunit", CPPUNIT, [], "compile_with_the_flags_of_hearth_cppunit")
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
