#!/usr/bin/python3
"""doctest programs through Hearth and by hand. TAP.

Usage: doctest_test.py HEARTH PROGRAMS ALL_FEATURES
PROGRAMS is the folder of tests/programs' programs.
"""

import sys

import plain
import served
import tap


def test_all_features(checks, hearth, program):
    by_hand = plain.doctest_results(program)
    results, _ = served.run(hearth, [f"all_features={program}"])
    plain.compare(checks, "all_features", "all_features", by_hand, results)
    printed = [test_id for test_id, result in results.items() if b"[doctest]" in result.attachments.get("stdout", b"")]
    checks.equal("all_features: no reporter writes to a test's stdout", printed, [])
    silent = [test_id for test_id, result in results.items()
              if result.status == "fail" and not result.text("traceback")]
    checks.equal("all_features: every failure has a text", silent, [])
    text = results["all_features.logging the counter of a loop"].text("traceback")
    checks.check("all_features: a failure has place, expression, values and context",
                 all(part in text for part in ("logging.cpp", "CHECK", "values:", "logged:")), text)


def test_by_hand(checks, programs):
    for arguments in ([], ["--help"], ["--version"], ["--list-test-cases"], ["--list-reporters"], ["--count"],
                      ["--success", "--duration=false"], ["--reporters=xml"],
                      ["--test-case=*pass*", "--no-skip"], ["--exit"]):
        ours, theirs = (plain.run(["program", *arguments], executable=f"{programs}/{program}")
                        for program in ("own_main_doctest", "own_main_doctest_plain"))
        checks.equal(f"by hand the same as without us: {' '.join(arguments) or 'no argument'}", ours, theirs)


def test_arguments(checks, hearth, programs):
    def listed(program, arguments):
        return served.list_ids(hearth, f"p={programs}/{program} {arguments}")

    checks.equal("main's own filter", listed("own_main_doctest", ""),
                 ["p.main has prepared", "p.more.passes", "p.more.fails"])
    checks.equal("a filter of suites", listed("own_main_doctest", "--test-suite=more"),
                 ["p.more.passes", "p.more.fails"])
    checks.equal("filters of test cases", listed("own_main_doctest", "-tc=*s -tce=passes"), ["p.more.fails"])
    checks.equal("a range", listed("own_main_doctest", "--first=2 --last=2"), ["p.more.passes"])
    checks.equal("another order", listed("own_main_doctest", "--order-by=name"),
                 ["p.more.fails", "p.main has prepared", "p.more.passes"])
    checks.check("skipped ones with --no-skip",
                 "p.decorated.skipped, passes" in listed("behaviours_doctest", "--no-skip"))
    checks.check("skipped ones without it",
                 "p.decorated.skipped, passes" not in listed("behaviours_doctest", ""))
    results, _ = served.run(hearth, [f"p={programs}/own_main_doctest --order-by=rand"])
    checks.equal("a random order", {test_id: result.status for test_id, result in results.items()},
                 {"p.main has prepared": "success", "p.more.passes": "success", "p.more.fails": "fail"})
    results, _ = served.run(hearth, [f"p={programs}/own_main_doctest --list-test-cases"])
    checks.equal("a query is no test program", [(test_id, r.status) for test_id, r in results.items()],
                 [("p.load", "fail")])


def test_runs_twice(checks, hearth, programs):
    results, _ = served.run(hearth, [f"{programs}/runs_twice_doctest"])
    checks.equal("of two runs the first is served", {test_id: result.status for test_id, result in results.items()},
                 {"runs_twice_doctest.one": "success", "runs_twice_doctest.exit": "fail"})
    checks.check("and the others are named", results["runs_twice_doctest.exit"].says("Not served:\ntwo\n"), results)


def test_own_time_limit(checks, hearth, programs):
    results, _ = served.run(hearth, [f"p={programs}/own_time_limit_doctest"])
    checks.equal("a test case's own time-out: the one that hangs", results["p.hangs"].status, "fail")
    checks.check("a test case's own time-out: is named", "10.5 s" in results["p.hangs"].text("traceback"),
                 results["p.hangs"].text("traceback"))
    checks.equal("a test case's own time-out: the other", results["p.passes"].status, "success")


def test_many(checks, hearth, programs):
    results, _ = served.run(hearth, [f"many={programs}/many_tests_doctest"])
    statuses = [result.status for result in results.values()]
    checks.equal("10,000 test cases", (len(statuses), set(statuses)), (10_000, {"success"}))


def main():
    hearth, programs, all_features = sys.argv[1:]
    checks = tap.Checks()
    test_all_features(checks, hearth, all_features)
    test_by_hand(checks, programs)
    test_arguments(checks, hearth, programs)
    test_runs_twice(checks, hearth, programs)
    test_own_time_limit(checks, hearth, programs)
    test_many(checks, hearth, programs)
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
