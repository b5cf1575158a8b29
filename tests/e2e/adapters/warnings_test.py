#!/usr/bin/python3
"""No compiler warns of an adapter, whatever it is asked to warn of: what it says is of the program's own. TAP.

Usage: warnings_test.py UNINSTALLED COMPILER...
UNINSTALLED is the build folder's meson-uninstalled; clang++ is asked too, where there is one.
"""

import os
import shutil
import subprocess
import sys
import tempfile

import tap

SOURCES = {
    "hearth-googletest": "#include <gtest/gtest.h>\nTEST(A, Passes) { EXPECT_TRUE(true); }\n",
    "hearth-doctest": "#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN\n#include <doctest/doctest.h>\nTEST_CASE(\"passes\") { CHECK(true); }\n",
    "hearth-cppunit": "#include <cppunit/TestCase.h>\nint main() { return 0; }\n",
}
HOOK = "#include <hearth/warm.hpp>\nextern const bool hooked;\nconst bool hooked = hearth::on_warm([] {});\n"
COMMON = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wsign-conversion", "-Wshadow", "-Wold-style-cast",
          "-Wnon-virtual-dtor", "-Woverloaded-virtual", "-Wnull-dereference", "-Wundef", "-Wcast-align", "-Wcast-qual",
          "-Wmissing-declarations", "-Wunused", "-Wformat=2", "-Wdouble-promotion"]
GCC = ["-Weffc++", "-Wuseless-cast", "-Wduplicated-cond", "-Wduplicated-branches", "-Wlogical-op", "-Wsuggest-override",
       "-Wzero-as-null-pointer-constant", "-Wredundant-decls", "-Wswitch-enum"]


def flags(uninstalled, module):
    environment = dict(os.environ, PKG_CONFIG_PATH=uninstalled)
    done = subprocess.run(["pkg-config", "--cflags", module], env=environment, capture_output=True, check=True)
    return done.stdout.decode().split()


def main():
    uninstalled, *compiler = sys.argv[1:]
    checks = tap.Checks()
    compilers = [(compiler, COMMON + GCC)]
    if shutil.which("clang++"):
        compilers.append((["clang++"], [*COMMON, "-Weverything"]))
    with tempfile.TemporaryDirectory() as folder:
        for module, text in SOURCES.items():
            source = os.path.join(folder, "program.cpp")
            with open(source, "w", encoding="utf-8") as file:
                file.write(text + HOOK)
            for command, warnings in compilers:
                # The project's own headers are others' in the end: no -isystem here.
                done = subprocess.run([*command, "-std=c++17", "-O1", *warnings, *flags(uninstalled, module), "-c", source, "-o",
                                       os.path.join(folder, "program.o")], capture_output=True, check=False)
                said = done.stderr.decode()
                ours = [line for line in said.splitlines() if "/hearth/" in line and "warning" in line]
                checks.check(f"{module}, {command[-1]} {warnings[-1]}: compiles, without a warning of ours",
                             done.returncode == 0 and not ours, said)
        source = os.path.join(folder, "strict.cpp")
        with open(source, "w", encoding="utf-8") as file:
            file.write("int strict();\nint strict() { return 0; }\n")
        for module in ("hearth-googletest", "hearth-cppunit"):  # included ahead of a file that has nothing to do with tests
            done = subprocess.run([*compiler, "-std=c++17", "-O1", *COMMON, *GCC, "-Werror", *flags(uninstalled, module),
                                   "-fsyntax-only", source], capture_output=True, check=False)
            checks.check(f"{module}, ahead of other files: -Werror", done.returncode == 0, done.stderr.decode())
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
