#!/usr/bin/python3
"""What sanitizers and valgrind report is the verdict that it is by hand, and is shown from its first line on. TAP.

Usage: reports_test.py HEARTH UNINSTALLED COMPILER...
"""

import os
import shutil
import sys

import workshop
from workshop import NONE, PROCESS, statuses

VALGRIND = "valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite "
VALGRIND_TESTS = {"hearth-googletest": ["V.Fine", "V.InvalidRead", "V.Leak", "S.Fine"],
                  "hearth-doctest": ["fine", "leaks", "leaks and fails", "leaks in a subcase", "fine too"],
                  "hearth-cppunit": ["Suite.fine", "Suite.leaks", "Suite.leaksAndFails", "Suite.fineToo"]}


def names(compiler):
    return os.path.basename(compiler)


def check_address(checks, shop, compiler):
    program = shop.build("reports.cpp", "hearth-googletest", "-fsanitize=address", "-DADDRESS", compiler=compiler)
    for mode in PROCESS, NONE:
        results, output = shop.run(program, mode)
        checks.equal(f"{names(compiler)}, AddressSanitizer, {mode}: who overflows fails", statuses(results),
                     {"Reports.Fine": "success", "Reports.Overflow": "fail", "Reports.OverflowAfterMuchElse": "fail"})
        shown = output.partition("\nFailed:\n")[0]
        checks.equal(f"{names(compiler)}, {mode}: both reports are shown, from what they are to where",
                     [shown.count(text) for text in ("ERROR: AddressSanitizer: heap-buffer-overflow", "READ of size 4",
                                                     "is located 0 bytes", "allocated by thread T0",
                                                     "SUMMARY: AddressSanitizer")], [2] * 5)
        checks.check(f"{names(compiler)}, {mode}: shadow bytes and their legend are not", "hadow byte" not in output and
                     "Addressable:" not in output and "=>0x" not in output, output)
        checks.check(f"{names(compiler)}, {mode}: a long output is shown from the report on",
                     "from the first report on:\n      ==" in shown and "line 99" not in shown, shown)


def check_undefined(checks, shop, compiler):
    program = shop.build("reports.cpp", "hearth-googletest", "-fsanitize=undefined", "-DUNDEFINED", compiler=compiler)
    for mode in PROCESS, NONE:
        results, _ = shop.run(program, mode)
        checks.equal(f"{names(compiler)}, UBSan, {mode}: a report is no failure, as by hand", statuses(results),
                     {"Reports.Fine": "success", "Reports.Undefined": "success", "Reports.UndefinedAndFails": "fail"})
        checks.check(f"{names(compiler)}, UBSan, {mode}: it is in the test's output",
                     "runtime error: signed integer overflow" in results["Reports.Undefined"].text("stderr"))
    hard = shop.build("reports.cpp", "hearth-googletest", "-fsanitize=undefined", "-fno-sanitize-recover=undefined",
                      "-DUNDEFINED", compiler=compiler)
    results, _ = shop.run(hard, PROCESS)
    checks.equal(f"{names(compiler)}, UBSan that ends the process: a failure", statuses(results),
                 {"Reports.Fine": "success", "Reports.Undefined": "fail", "Reports.UndefinedAndFails": "fail"})


def check_threads(checks, shop, compiler):
    program = shop.build("reports.cpp", "hearth-googletest", "-fsanitize=thread", "-DTHREADS", compiler=compiler)
    status, said = program.by_hand()
    if "unexpected memory mapping" in said:
        print(f"# {names(compiler)}: ThreadSanitizer does not start on this kernel")
        return
    checks.equal(f"{names(compiler)}, ThreadSanitizer: by hand", status, 66)
    results, output = shop.run(program, PROCESS)
    checks.equal(f"{names(compiler)}, ThreadSanitizer: who races fails", statuses(results),
                 {"Reports.Fine": "success", "Reports.Race": "fail", "Reports.OneThread": "success"})
    shown = output.partition("\nFailed:\n")[0]
    checks.check(f"{names(compiler)}, ThreadSanitizer: its report is shown whole",
                 "WARNING: ThreadSanitizer: data race" in shown and "SUMMARY: ThreadSanitizer" in shown, shown)
    results, _ = shop.run(program, NONE)
    failed = [test for test, result in statuses(results).items() if result == "fail"]
    checks.check(f"{names(compiler)}, ThreadSanitizer, one process: its end fails",
                 len(failed) == 1 and failed[0].endswith("teardown"), results)


def check_valgrind(checks, shop):
    if shutil.which("valgrind") is None:
        print("# valgrind is not there")
        return
    for module, source in (("hearth-googletest", "valgrind_googletest.cpp"), ("hearth-doctest", "leaks_doctest.cpp"),
                           ("hearth-cppunit", "leaks_cppunit.cpp")):
        program = shop.build(source, module)
        results, output = shop.run(program, PROCESS, command=VALGRIND)
        bad = ("leaks", "Leak", "InvalidRead")
        checks.equal(f"valgrind, {module}: the verdicts are those by hand", statuses(results),
                     {test: "fail" if any(word in test for word in bad) else "success"
                      for test in VALGRIND_TESTS[module]})
        for test, words in (("V.InvalidRead", "Invalid read of size 4"), ("V.Leak", "definitely lost"),
                            ("leaks", "definitely lost"), ("Suite.leaks", "definitely lost")):
            if test in results:
                checks.check(f"valgrind, {module}: {test} has its report", words in results[test].text("stderr") and
                             words in output, output)
        checks.check(f"valgrind, {module}: nothing of ours is an error", "hearth::zygote" not in output and
                     "its tear-down exited" not in output, output)
        results, output = shop.run(program, NONE, command=VALGRIND)
        failed = {test for test, result in statuses(results).items() if result == "fail"}
        checks.check(f"valgrind, {module}, one process: its end fails, with the report",
                     any(test.endswith("teardown") and results[test].says("definitely lost") for test in failed), results)


def run(checks, shop):
    for compiler in shop.compilers:
        check_address(checks, shop, compiler)
        check_undefined(checks, shop, compiler)
        check_threads(checks, shop, compiler)
    check_valgrind(checks, shop)


if __name__ == "__main__":
    sys.exit(workshop.main(run))
