#!/usr/bin/python3
"""Leaks, as LeakSanitizer and GoogleMock see them, are failures of the tests that leaked, as by hand. TAP.

Usage: leaks_test.py HEARTH UNINSTALLED COMPILER...
"""

import os
import sys

import workshop
from workshop import NONE, PROCESS, leaked, statuses

ADDRESS = "-fsanitize=address"
LEAK_TEST = "/usr/src/googletest/googlemock/test/gmock_leak_test_.cc"

GOOGLETEST = {
    "Leaks.Fine": [], "Leaks.Leaks": [(44, 1)], "Leaks.LeaksAndFails": [(45, 1)], "Leaks.LeaksAndSkips": [(46, 1)],
    "Leaks.Holds": [], "Leaks.FreesAtExit": [], "Leaks.FreesAtThreadExit": [], "Leaks.LeaksAtExit": [(47, 1)],
    "Leaks.UsesWhatWasThere": [], "Leaks.LosesWhatWasThere": [(32, 1), (35, 1)],
    "Suite.UsesIt": [], "Suite.Leaks": [(48, 1)],
    "SetUpLeaks.Fine": [], "SetUpLeaks.FineToo": [], "SetUpLeaks.teardown": [(49, 1)],
}
SHARED_GOOGLETEST = {"Leaks.LeaksAtExit": [], "SetUpLeaks.Fine": [(49, 1)], "SetUpLeaks.teardown": [(47, 1)]}
LEAKED_EARLY = {"exit": [(44, 1), (100, 1)]}
STARTED_ANEW = {"SetUpLeaks.Fine": [(49, 1)], "SetUpLeaks.FineToo": [(49, 1)], "SetUpLeaks.teardown": None}
DOCTEST = {"fine": [], "leaks": [(44, 1)], "leaks and fails": [(45, 1)], "leaks in a subcase": [(46, 1)], "fine too": []}
CPPUNIT = {"Suite.fine": [], "Suite.leaks": [(44, 1)], "Suite.leaksAndFails": [(45, 1)], "Suite.fineToo": []}


def check_leaks(checks, shop, name, program, expected, *options, **environment):
    expected = {test: leaks for test, leaks in expected.items() if leaks is not None}
    results, output = shop.run(program, *options, **environment)
    checks.equal(f"{name}: each test has its own leaks", {test: leaked(result) for test, result in results.items()},
                 expected)
    checks.equal(f"{name}: and fails by them", statuses(results),
                 {test: "fail" if leaks else "success" for test, leaks in expected.items()})
    checks.check(f"{name}: no helper of a sanitizer's is said to have been left", "left process" not in output and
                 "behind (killed)" not in output, output)
    return results


def check_by_hand(checks, program, results):
    for test, result in results.items():
        if test.startswith(("Leaks.", "Suite.")):
            status, _ = program.by_hand("--gtest_filter=" + test)
            checks.equal(f"{test}: as by hand", result.status, "success" if status == 0 else "fail")


def check_googletest(checks, shop):
    program = shop.build("leaks_googletest.cpp", "hearth-googletest", ADDRESS)
    results = check_leaks(checks, shop, "GoogleTest", program, GOOGLETEST, PROCESS)
    check_by_hand(checks, program, results)
    text = results["Leaks.Leaks"].text("traceback")
    checks.check("a leak's text says who says so, and begins with the report",
                 text.startswith("The test leaked memory, LeakSanitizer says:\n==") and "lose" in text and
                 "leaks_googletest.cpp" in text, text)
    checks.check("the failure of a test that leaks stays in its text",
                 "Failure" in results["Leaks.LeaksAndFails"].text("traceback"))
    check_leaks(checks, shop, "GoogleTest, one process", program, {**GOOGLETEST, **SHARED_GOOGLETEST}, NONE)
    check_options(checks, shop, program)
    early = shop.build("leaks_googletest.cpp", "hearth-googletest", ADDRESS, "-DLEAKS_EARLY")
    check_leaks(checks, shop, "a program that has leaked before", early, {**GOOGLETEST, **LEAKED_EARLY}, PROCESS)
    anew = shop.build("leaks_googletest.cpp", "hearth-googletest", ADDRESS, "-DTHREADS")
    check_leaks(checks, shop, "a program with threads", anew, {**GOOGLETEST, **STARTED_ANEW}, PROCESS)


def check_options(checks, shop, program):
    for name, environment in {
        "detect_leaks=0": {"ASAN_OPTIONS": "detect_leaks=0"},
        "exitcode=0": {"ASAN_OPTIONS": "halt_on_error=1", "LSAN_OPTIONS": "max_leaks=7:exitcode=0"},
    }.items():
        results, _ = shop.run(program, PROCESS, **environment)
        checks.equal(f"{name}: no leak is a failure", {test for test, status in statuses(results).items() if status == "fail"},
                     {"Leaks.LeaksAndFails"})
        checks.equal(f"{name}: leaks are told of", "leaks" in results["Leaks.Leaks"].attachments, "exitcode" in name)
    with open(program.path + ".supp", "w", encoding="utf-8") as file:
        file.write("leak:lose\n")
    results, _ = shop.run(program, PROCESS, LSAN_OPTIONS=f"suppressions={file.name}")
    checks.equal("suppressions hold", {test for test, status in statuses(results).items() if status == "fail"},
                 {"Leaks.LeaksAndFails", "Leaks.LosesWhatWasThere"})


def check_others(checks, shop):
    for compiler in shop.compilers[1:]:
        name = os.path.basename(compiler)
        program = shop.build("leaks_googletest.cpp", "hearth-googletest", ADDRESS, compiler=compiler)
        check_leaks(checks, shop, name, program, GOOGLETEST, PROCESS)
        program = shop.build("leaks_doctest.cpp", "hearth-doctest", "-fsanitize=leak", compiler=compiler)
        check_leaks(checks, shop, f"{name}, -fsanitize=leak", program, DOCTEST, PROCESS)
    static = shop.build("leaks_doctest.cpp", "hearth-doctest", ADDRESS, "-static-libasan")
    check_leaks(checks, shop, "a static runtime", static, DOCTEST, PROCESS)
    for module, source, expected in (("hearth-doctest", "leaks_doctest.cpp", DOCTEST),
                                     ("hearth-cppunit", "leaks_cppunit.cpp", CPPUNIT)):
        program = shop.build(source, module, ADDRESS)
        check_leaks(checks, shop, module, program, expected, PROCESS)
        check_leaks(checks, shop, f"{module}, one process", program, expected, NONE)


def check_without_ptrace(checks, shop):
    program = shop.build("without_ptrace.cpp", "hearth-googletest", ADDRESS)
    status, said = program.by_hand()
    checks.check("without ptrace: by hand the end says so, once", status != 0 and "fatal error" in said, said)
    for mode in PROCESS, NONE:
        results, _ = shop.run(program, mode)
        checks.equal(f"without ptrace: no test is to blame, the program's end is ({mode})", statuses(results),
                     {"WithoutPtrace.Fine": "success", "WithoutPtrace.Leaks": "success", "exit": "fail"})


def check_mocks(checks, shop):
    leaks = {"Mocks.Leaks": 1, "Mocks.LeaksTwo": 2, "Suite.Leaks": 1}
    fine = ["Mocks.Fine", "Mocks.MayLeak", "Mocks.Static", "Mocks.DeletedAtExit", "Suite.UsesTheSuites"]
    program = shop.build("mocks.cpp", "hearth-googletest", libraries=["-lgmock"])
    results, _ = shop.run(program, PROCESS)
    checks.equal("mocks: who leaks one fails, nobody else", statuses(results),
                 {**{test: "fail" for test in leaks}, **{test: "success" for test in fine}})
    for test, result in results.items():
        status, said = program.by_hand("--gtest_filter=" + test)
        checks.equal(f"{test}: as by hand", result.status, "success" if status == 0 else "fail")
        theirs = [line.partition(" Its address")[0] for line in said.splitlines() if "should be deleted" in line]
        ours = [line.partition(" Its address")[0] for line in result.text("traceback").splitlines()
                if "should be deleted" in line]
        checks.equal(f"{test}: in GoogleMock's words", ours, theirs)
    results, _ = shop.run(program, NONE)
    failed = [result for result in results.values() if result.status == "fail"]
    said = "".join(result.text("traceback") for result in failed)
    checks.check("mocks in one process: its end fails, and names the tests", len(failed) == 1 and
                 all(f"(used in test {test})" in said for test in leaks) and
                 not any(f"(used in test {test})" in said for test in fine), said)
    off = workshop.Program(program.path + " --gmock_catch_leaked_mocks=0")
    results, _ = shop.run(off, PROCESS)
    checks.equal("mocks: --gmock_catch_leaked_mocks=0", set(statuses(results).values()), {"success"})
    sanitized = shop.build("mocks.cpp", "hearth-googletest", ADDRESS, libraries=["-lgmock"])
    results, _ = shop.run(sanitized, PROCESS)
    checks.equal("mocks, with AddressSanitizer", {test for test, status in statuses(results).items() if status == "fail"},
                 set(leaks))


def check_leak_test(checks, shop):
    if not os.path.exists(LEAK_TEST):
        print(f"# {LEAK_TEST} is not there")
        return
    program = shop.build(LEAK_TEST, "hearth-googletest", libraries=["-lgmock"])
    results, _ = shop.run(program, PROCESS)
    for test, result in results.items():
        status, _ = program.by_hand("--gtest_filter=" + test)
        checks.check(f"GoogleMock's own {test}: as by hand, with its words",
                     status != 0 and result.status == "fail" and "should be deleted but never is" in
                     result.text("traceback"), f"{status} {result}")


def run(checks, shop):
    check_googletest(checks, shop)
    check_others(checks, shop)
    check_without_ptrace(checks, shop)
    check_mocks(checks, shop)
    check_leak_test(checks, shop)


if __name__ == "__main__":
    sys.exit(workshop.main(run))
