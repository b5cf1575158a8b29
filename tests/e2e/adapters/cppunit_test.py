#!/usr/bin/python3
"""CppUnit programs through Hearth and by hand. TAP.

Usage: cppunit_test.py HEARTH PROGRAMS SUITE
PROGRAMS is the folder of tests/programs' programs, SUITE the program of tests/suites/cppunit.
"""

import os
import sys
import tempfile

import plain
import served
import tap


def test_suite(checks, hearth, program):
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.xml")
        plain.run([program, f"--xml={report}"])
        by_hand = plain.cppunit_results(report)
        os.unlink(report)
        results, _ = served.run(hearth, [f"suite={program}"], "--env", f"TMPDIR={directory}")
        left = os.listdir(directory)
    plain.compare(checks, "suite", "suite", by_hand, results)
    checks.equal("suite: a decorator's tearDown runs in each test's process", left, [])
    printed = [test_id for test_id, result in results.items() if result.attachments.keys() & {"stdout", "stderr"}]
    checks.equal("suite: no listener writes to a test's output", printed, [])
    text = results["suite.KnownProblemsTest.values_with_a_message"].text("traceback")
    checks.check("suite: a failure has place, values and message",
                 "known_problems_test.cpp:" in text and "- Expected: 1/2\n- Actual  : 2/3\n- halves" in text, text)


def test_paths(checks, hearth, program):
    ids = served.list_ids(hearth, f"suite={program} CacheTest")
    checks.check("a path given to main selects",
                 len(ids) == 12 and all(test_id.startswith("suite.CacheTest.") for test_id in ids), ids)
    ids = served.list_ids(hearth, f"suite={program} 'CacheTest/CacheTest::erases'")
    checks.equal("a path to one test", ids, ["suite.CacheTest.erases"])
    results, _ = served.run(hearth, [f"suite={program} CacheTest/CacheTest::erases"])
    checks.equal("which runs", [(i, r.status) for i, r in results.items()], [("suite.CacheTest.erases", "success")])
    results, _ = served.run(hearth, [f"suite={program} nonsense"])
    checks.check("a wrong path is a program that cannot be served",
                 list(results) == ["suite.load"] and results["suite.load"].says("no such test"), results)


def test_runs_twice(checks, hearth, programs):
    ours = plain.run([f"{programs}/runs_twice_cppunit"])
    theirs = plain.run([f"{programs}/runs_twice_cppunit_plain"])
    checks.equal("by hand the same as without us", ours, theirs)
    checks.equal("by hand all tests run", ours[1], b"3 tests, 1 failures\n")
    results, _ = served.run(hearth, [f"p={programs}/runs_twice_cppunit"])
    checks.equal("of two runs the first is served", {test_id: result.status for test_id, result in results.items()},
                 {"p.First.passes": "success", "p.First.fails": "fail", "p.exit": "fail"})
    checks.check("and the others are named", results["p.exit"].says("Not served:\nSecond.passes\n"), results)


def main():
    hearth, programs, suite = sys.argv[1:]
    checks = tap.Checks()
    test_suite(checks, hearth, suite)
    test_paths(checks, hearth, suite)
    test_runs_twice(checks, hearth, programs)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
