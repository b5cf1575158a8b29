"""Test programs started by hand, and their results from the frameworks' own reports."""

import subprocess
import xml.etree.ElementTree


def run(command, **options):
    """(exit code, stdout, stderr)"""
    done = subprocess.run(command, capture_output=True, check=False, timeout=300, **options)
    return done.returncode, done.stdout, done.stderr


def doctest_results(program, *arguments):
    """{name: whether it passed} of the test cases that ran; the names as Hearth's ids have them."""
    _, report, _ = run([program, "--reporters=xml", "--no-intro=true", *arguments])
    end = report.rindex(b"</doctest>") + len(b"</doctest>")
    results = {}
    for suite in xml.etree.ElementTree.fromstring(report[:end]).findall("TestSuite"):
        for case in suite.findall("TestCase"):
            if case.get("skipped"):
                continue
            test = case.get("name").strip() or "unnamed"
            name = ".".join(filter(None, [suite.get("name"), test]))
            passed = case.find("OverallResultsAsserts").get("test_case_success") == "true"
            results.setdefault(name, []).append((case.get("filename").rsplit("/", 1)[-1], passed))
    return _told_apart(results)


def _told_apart(results):
    """Equal names get their file's name where that differs, then a number."""
    named = {}
    for name, occurrences in results.items():
        files = {file for file, _ in occurrences}
        for file, passed in occurrences:
            wanted = f"{name} ({file})" if len(files) > 1 else name
            unique, number = wanted, 1
            while unique in named:
                number += 1
                unique = f"{wanted} #{number}"
            named[unique] = passed
    return named


def cppunit_results(report_file):
    """{name: whether it passed}; a repeated test passed if it did every time."""
    results = {}
    root = xml.etree.ElementTree.parse(report_file).getroot()
    for kind, passed in (("SuccessfulTests/Test", True), ("FailedTests/FailedTest", False)):
        for test in root.findall(kind):
            fixture, _, name = test.find("Name").text.rpartition("::")
            name = f"{fixture}.{name}"
            results[name] = results.get(name, True) and passed
    return results


def compare(checks, what, program_name, plain, served):
    """Each test of the plain run, and no other, has the same verdict through Hearth."""
    passing = ("success", "xfail")
    verdicts = {test_id: result.status in passing for test_id, result in served.items()}
    expected = {f"{program_name}.{name}": passed for name, passed in plain.items()}
    differences = [f"{test_id}: plain {expected.get(test_id)}, served {verdicts.get(test_id)}"
                   for test_id in sorted(expected.keys() | verdicts.keys())
                   if expected.get(test_id) != verdicts.get(test_id)]
    checks.check(f"{what}: {len(expected)} verdicts are the same", not differences, "\n".join(differences))
    checks.check(f"{what}: not all alike", len(set(expected.values())) == 2)
