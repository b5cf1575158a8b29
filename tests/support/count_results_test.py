#!/usr/bin/python3
"""Tests of count_results.py, the judge of ./dev test."""

import contextlib
import io
import json
import pathlib
import tempfile
import unittest

import count_results

DOCTEST = (
    '[doctest] doctest version is "2.4.9"\n'
    "[doctest] test cases:  6 |  {} passed | {} failed | 0 skipped\n"
)


def result(stdout="", result="OK", name="a test"):
    return {"name": name, "stdout": stdout, "result": result}


class Count(unittest.TestCase):
    def test_a_plain_program_is_one_test(self):
        self.assertEqual(count_results.count(result("whatever\n")), (1, 0))
        self.assertEqual(count_results.count(result("whatever\n", "FAIL")), (0, 1))
        self.assertEqual(count_results.count(result(None, "TIMEOUT")), (0, 1))

    def test_doctest_counts_by_its_cases(self):
        self.assertEqual(count_results.count(result(DOCTEST.format(6, 0))), (6, 0))
        self.assertEqual(count_results.count(result(DOCTEST.format(4, 2), "FAIL")), (4, 2))

    def test_doctest_that_passed_every_case_and_then_failed_is_a_failure(self):
        self.assertEqual(count_results.count(result(DOCTEST.format(6, 0), "FAIL")), (6, 1))

    def test_doctest_that_crashed_before_its_summary_is_one_failure(self):
        self.assertEqual(count_results.count(result("[doctest] doctest version\n", "FAIL")), (0, 1))

    def test_a_summary_in_the_output_of_another_program_is_not_counted(self):
        self.assertEqual(count_results.count(result("served:\n" + DOCTEST.format(1, 5))), (1, 0))

    def test_colours_do_not_hide_a_summary(self):
        coloured = DOCTEST.format(6, 0).replace("[doctest]", "\x1b[0;36m[doctest]\x1b[0m")
        self.assertEqual(count_results.count(result(coloured)), (6, 0))

    def test_tap_counts_by_its_points(self):
        tap = "TAP version 13\n1..4\nok 1 - a\nnot ok 2 - b\nok 3 # SKIP why\nnot ok 4 - c # TODO later\n"
        self.assertEqual(count_results.count(result(tap, "FAIL")), (2, 1))


class Main(unittest.TestCase):
    def run_main(self, *tests):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder, "testlog.json")
            log.write_text("".join(json.dumps(test) + "\n" for test in tests), encoding="utf-8")
            return self.run_paths(log)

    def run_paths(self, *paths):
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            status = count_results.main([str(path) for path in paths])
        return status, output.getvalue().splitlines()

    def test_passes_add_up(self):
        status, lines = self.run_main(result(DOCTEST.format(6, 0)), result())
        self.assertEqual((status, lines[-1]), (0, "7 passed, 0 failed"))

    def test_a_failure_is_named_and_fails(self):
        status, lines = self.run_main(result(), result("", "FAIL", "the culprit"))
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))
        self.assertIn("the culprit", lines[0])

    def test_failed_points_of_tap_are_shown_with_their_diagnostics(self):
        tap = "1..2\nok 1 - fine\n# so it is\nnot ok 2 - broken\n# expected 1\n  ---\n  got: 2\n"
        _, lines = self.run_main(result(tap, "FAIL"))
        self.assertEqual(
            [line.strip() for line in lines[1:-1]], ["not ok 2 - broken", "# expected 1", "---", "got: 2"]
        )

    def test_skips_are_named_and_do_not_count(self):
        status, lines = self.run_main(result(), result("", "SKIP", "the idler"))
        self.assertEqual((status, lines[-1]), (0, "1 passed, 0 failed"))
        self.assertIn("the idler", lines[0])

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(self.run_main(), (1, ["0 passed, 0 failed"]))

    def test_a_missing_log_is_a_failure(self):
        status, lines = self.run_paths("/nowhere/testlog.json")
        self.assertEqual((status, lines[-1]), (1, "0 passed, 1 failed"))


if __name__ == "__main__":
    unittest.main()
