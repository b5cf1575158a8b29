#!/usr/bin/python3
"""Programs that are linked in other ways than the README's: the adapter in a shared library and in the executable,
with hidden symbols and -Bsymbolic; two frameworks, two GoogleTests, a GoogleTest of the project's own. TAP.

Usage: linking_test.py HEARTH UNINSTALLED COMPILER...
UNINSTALLED is the build folder's meson-uninstalled.
"""

import os
import subprocess
import sys
import tempfile

import served
import tap

# In the library and in the executable: each with a suite that is set up, and a hook.
GOOGLETEST = """
#include <gtest/gtest.h>
#include <hearth/warm.hpp>
#include <cstdio>
static bool warm_here = false;
static const bool hooked = hearth::on_warm([] { warm_here = true; });
TEST(PLACE, Passes) { std::printf("%d\\n", hooked && warm_here); }
TEST(PLACE, Fails) { FAIL() << "on purpose"; }
class PLACE_SUITE : public testing::Test {
 protected:
  static void SetUpTestSuite() { m_value = 7; }
  static int m_value;
};
int PLACE_SUITE::m_value = 0;
TEST_F(PLACE_SUITE, IsSetUp) { EXPECT_EQ(m_value, 7); }
TEST_F(PLACE_SUITE, Fails) { EXPECT_EQ(m_value, 8); }
#ifdef HAS_MAIN
extern "C" int in_library();
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS() + in_library();
}
#else
extern "C" __attribute__((visibility("default"))) int in_library() { return 0; }
#endif
"""

CPPUNIT = """
#include <cppunit/extensions/HelperMacros.h>
#include <cppunit/extensions/TestFactoryRegistry.h>
#include <cppunit/ui/text/TestRunner.h>
class PLACE : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PLACE);
  CPPUNIT_TEST(passes);
  CPPUNIT_TEST(fails);
  CPPUNIT_TEST_SUITE_END();
 public:
  void passes() {}
  void fails() { CPPUNIT_FAIL("on purpose"); }
};
CPPUNIT_TEST_SUITE_REGISTRATION(PLACE);
#ifdef HAS_MAIN
extern "C" int in_library();
int main() {
  CppUnit::TextUi::TestRunner runner;
  runner.addTest(CppUnit::TestFactoryRegistry::getRegistry().makeTest());
  return (runner.run() ? 0 : 1) + in_library();
}
#else
extern "C" __attribute__((visibility("default"))) int in_library() { return 0; }
#endif
"""

TWO_FRAMEWORKS = """
#include <gtest/gtest.h>
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>
TEST(Google, Passes) {}
TEST(Google, Fails) { EXPECT_TRUE(false); }
TEST_CASE("of doctest") {}
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  int status = RUN_ALL_TESTS();
  return status + doctest::Context(argc, argv).run();
}
"""


class Workshop:
    def __init__(self, checks, hearth, uninstalled, compiler, folder):
        self.m_checks = checks
        self.m_hearth = hearth
        self.m_environment = dict(os.environ, PKG_CONFIG_PATH=uninstalled)
        self.m_compiler = compiler
        self.folder = folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def flags(self, kind, module):
        done = subprocess.run(["pkg-config", kind, module], env=self.m_environment, capture_output=True, check=True)
        return done.stdout.decode().split()

    def run(self, *command):
        """What it says; nothing when all is well."""
        done = subprocess.run([*self.m_compiler, *command], capture_output=True, check=False)
        return done.stderr.decode() if done.returncode else ""

    def compile(self, name, source, module, *options):
        with open(self.path(name + ".cpp"), "w", encoding="utf-8") as file:
            file.write(source)
        said = self.run("-std=c++17", "-O0", "-fPIC", *options, *self.flags("--cflags", module), "-c", file.name, "-o",
                        self.path(name + ".o"))
        assert not said, said
        return self.path(name + ".o")

    def serves(self, name, program, expected, options=()):
        """Its results by id, in the default mode and in one process."""
        for isolation in ([], ["--isolation=none"]):
            results, output = served.run(self.m_hearth, [f"p={program}"], *options, *isolation)
            statuses = {test_id: result.status for test_id, result in results.items()}
            self.m_checks.check(f"{name} {' '.join(isolation)}", statuses == expected,
                                f"{statuses}\nshould be {expected}\n{output}")
            if "p.Library.Passes" in results:
                self.m_checks.equal(f"{name} {' '.join(isolation)}: hooks of both have run",
                                    [results[f"p.{place}.Passes"].text("stdout") for place in ("Library", "Program")],
                                    ["1\n", "1\n"])

    def refused(self, name, program, *says):
        results, output = served.run(self.m_hearth, [f"p={program}"])
        text = results["p.load"].text("traceback") if "p.load" in results else ""
        self.m_checks.check(name, list(results) == ["p.load"] and all(part in text for part in says),
                            f"{text}\n{output}")


WAYS = {
    "plain": ([], []),
    "archives first": ([], []),
    "-fvisibility=hidden": (["-fvisibility=hidden", "-fvisibility-inlines-hidden"], []),
    "-Bsymbolic": ([], ["-Wl,-Bsymbolic"]),
    "-Bsymbolic, archives first": ([], ["-Wl,-Bsymbolic"]),
    "-fvisibility=hidden -Bsymbolic, archives first": (["-fvisibility=hidden", "-fvisibility-inlines-hidden"], ["-Wl,-Bsymbolic"]),
}


def test_both(checks, shop, framework, source, module, libraries, expected):
    """The library and the executable have the adapter; the framework is shared, or has one list for each."""
    objects = {}
    for way, (compile_options, link_options) in WAYS.items():
        hidden = "hidden" in way
        if hidden not in objects:
            kind = f"{framework}{'_hidden' if hidden else ''}"
            objects[hidden] = [
                shop.compile(f"{kind}_library", source, module, "-DPLACE=Library", "-DPLACE_SUITE=LibrarySuite",
                             '-DNAME="library"', *compile_options),
                shop.compile(f"{kind}_program", source, module, "-DPLACE=Program", "-DPLACE_SUITE=ProgramSuite",
                             '-DNAME="program"', "-DHAS_MAIN", *compile_options)]
        library, program = objects[hidden]
        links = [*shop.flags("--libs", module), *libraries]
        said = shop.run("-shared", library, "-o", shop.path("libboth.so"), *link_options, *links)
        shared = [shop.path("libboth.so"), f"-Wl,-rpath,{shop.folder}"]
        order = [*links, *shared] if "first" in way else [*shared, *links]  # the executable has a copy of all, or none
        said += shop.run(program, "-o", shop.path("both"), *order)
        if checks.check(f"{framework}, {way}: links", not said, said):
            shop.serves(f"{framework}, {way}", shop.path("both"), expected)


def statuses(*tests):
    return {"p." + test: "fail" if "ails" in test else "success" for test in tests}


def test_googletest(checks, shop):
    archive = "/usr/src/googletest/googletest"
    shared = shop.path("libgtest_shared.so")
    said = shop.run("-std=c++17", "-O0", "-fPIC", "-shared", f"-I{archive}", f"-I{archive}/include",
                    f"{archive}/src/gtest-all.cc", "-o", shared, "-lpthread")
    checks.check("a shared GoogleTest builds", not said, said)
    libraries = [shared, f"-Wl,-rpath,{shop.folder}", "-lpthread"]
    test_both(checks, shop, "GoogleTest", GOOGLETEST, "hearth-googletest", libraries,
              statuses(*(f"{place}.{test}" for place in ("Library", "Program") for test in ("Passes", "Fails")),
                       *(f"{place}Suite.{test}" for place in ("Library", "Program") for test in ("IsSetUp", "Fails"))))

    # Each with a GoogleTest of its own, whose symbols are its own.
    adapter = shop.flags("--libs", "hearth-googletest")
    own = ["-lgtest", "-lpthread"]
    library, program = shop.path("GoogleTest_hidden_library.o"), shop.path("GoogleTest_hidden_program.o")
    said = shop.run("-shared", library, "-o", shop.path("libtwo.so"), "-Wl,-Bsymbolic", *adapter, *own)
    said += shop.run(program, "-o", shop.path("two"), *adapter, *own, shop.path("libtwo.so"), f"-Wl,-rpath,{shop.folder}")
    checks.check("two GoogleTests: links", not said, said)
    shop.refused("two GoogleTests are refused, and named", shop.path("two"), "two GoogleTests", "libtwo.so", "/two")

    # The adapter's flags first or last, a GoogleTest that is not the installed one.
    for order, flags in (("first", [*adapter, *libraries]), ("last", [*libraries, *adapter])):
        said = shop.run(program, library, "-o", shop.path(order), *flags)
        checks.check(f"a GoogleTest of the project's own, the adapter {order}: links", not said, said)
    checks.check("the module brings no framework", "gtest" not in " ".join(adapter), adapter)


def test_two_frameworks(checks, shop):
    both = shop.compile("frameworks", TWO_FRAMEWORKS, "hearth-googletest", *shop.flags("--cflags", "hearth-doctest"))
    said = shop.run(both, "-o", shop.path("frameworks"), *shop.flags("--libs", "hearth-doctest"), "-lgtest", "-lpthread")
    checks.check("two frameworks: links", not said, said)
    results, output = served.run(shop.m_hearth, [f"p={shop.path('frameworks')}"])
    known = {test_id: result.status for test_id, result in results.items() if ".Google." in test_id}
    checks.equal("two frameworks: the tests that come first are served", known, statuses("Google.Passes", "Google.Fails"))
    rest = "".join(result.text("traceback") for test_id, result in results.items() if test_id == "p.exit")
    checks.check("two frameworks: the others are named", "of doctest" in rest, f"{results}\n{output}")


def main():
    hearth, uninstalled, *compiler = sys.argv[1:]
    checks = tap.Checks()
    with tempfile.TemporaryDirectory() as folder:
        shop = Workshop(checks, hearth, uninstalled, compiler, folder)
        test_both(checks, shop, "CppUnit", CPPUNIT, "hearth-cppunit", [],
                  statuses("Library.passes", "Library.fails", "Program.passes", "Program.fails"))
        test_googletest(checks, shop)
        test_two_frameworks(checks, shop)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
