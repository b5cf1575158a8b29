#!/usr/bin/python3
"""Adds up the test cases in meson's testlog.json files, and ends with "N passed, N failed".

A doctest program counts by its cases, a TAP program by its points, any other test as one. A test that meson
calls failed counts at least one failure, whatever it printed. Exit code 0: at least one passed, none failed.
"""

import json
import pathlib
import re
import sys

PASSED = {"OK", "EXPECTEDFAIL"}
DOCTEST_SUMMARY = re.compile(
    r"^\[doctest\] test cases:\s*(\d+)\s*\|\s*(\d+) passed\s*\|\s*(\d+) failed", re.MULTILINE
)
TAP_POINT = re.compile(r"^(not )?ok\b(?:[^#\n]|\\#)*(?:# *(skip|todo))?", re.MULTILINE | re.IGNORECASE)
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def doctest_cases(output):
    """(passed, failed), or None if this is not what a doctest program prints."""
    summaries = DOCTEST_SUMMARY.findall(output)
    if not output.startswith("[doctest]") or not summaries:
        return None
    _, passed, failed = summaries[-1]
    return int(passed), int(failed)


def tap_points(output):
    """(passed, failed), or None if this is not TAP. Skipped points are neither."""
    if not re.search(r"^1\.\.\d+", output, re.MULTILINE):
        return None
    passed = failed = 0
    for point in TAP_POINT.finditer(output):
        directive = (point[2] or "").lower()
        if directive == "skip":
            continue
        if point[1] and directive != "todo":
            failed += 1
        else:
            passed += 1
    return passed, failed


def tap_failures(output):
    """The failed points of TAP with their diagnostics, which meson does not show."""
    shown = []
    failed = False
    for line in output.splitlines():
        if not line.startswith((" ", "#")):
            failed = line.startswith("not ok") and "# TODO" not in line
        if failed:
            shown.append(line)
    return shown


def count(test):
    """(passed, failed) of one line of testlog.json."""
    output = COLOUR.sub("", test.get("stdout") or "")
    ok = test["result"] in PASSED
    passed, failed = doctest_cases(output) or tap_points(output) or (int(ok), 0)
    if not ok:
        failed = max(failed, 1)
    return passed, failed


def read(path):
    """The tests that ran, as in the log; raises OSError where there is no log."""
    lines = pathlib.Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


def main(paths):
    total_passed = total_failed = 0
    for path in paths:
        try:
            tests = read(path)
        except OSError as error:
            print(f"{path}: no results ({error.strerror}): counted as one failure")
            total_failed += 1
            continue
        skipped = [test["name"] for test in tests if test["result"] == "SKIP"]
        ran = [test for test in tests if test["result"] != "SKIP"]
        counts = [count(test) for test in ran]
        for test, (_, failed) in zip(ran, counts):
            if failed:
                print(f"{path}: {test['name']}: {test['result']}, {failed} failed")
                for line in tap_failures(test.get("stdout") or ""):
                    print(f"    {line}")
        if skipped:
            print(f"{path}: skipped: {', '.join(skipped)}")
        total_passed += sum(passed for passed, _ in counts)
        total_failed += sum(failed for _, failed in counts)
    print(f"{total_passed} passed, {total_failed} failed")
    return 0 if total_passed and not total_failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
