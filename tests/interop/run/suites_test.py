#!/usr/bin/python3
"""GoogleTest's own suites as a project: hearth init, run, --failing and last, testr and stestr find the programs' own verdicts.

suites_test.py HEARTH PROGRAM...; those that are known to differ when isolated are in tests/interop/suites/expected.txt.
"""

import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, ".."), os.path.join(HERE, "..", "..", "e2e")]

import e2e  # noqa: E402
from e2e import programs  # noqa: E402
from project import Project, counts, stestr_counts, stestr_project, testr_counts  # noqa: E402
from verdicts_test import expected_differences, plain_verdicts  # noqa: E402

EXPECTED = expected_differences([os.path.join(HERE, "..", "suites", "expected.txt")])
_plain = {}


def plain():
    """{id: status}, with what isolation is known to change."""
    if not _plain:
        for program in programs.values():
            _plain.update(plain_verdicts(os.path.abspath(program)))
        for test_id in EXPECTED:
            if test_id.endswith(".exit"):  # reported only where it fails
                if test_id.partition(".")[0] in programs:
                    _plain[test_id] = "fail"
            elif test_id in _plain:
                assert _plain[test_id] == "success"
                _plain[test_id] = "fail"
        assert {"success", "fail", "skip"} == set(_plain.values()), counts(_plain)
    return _plain


def difference(ours, theirs=None):
    theirs = plain() if theirs is None else theirs
    return {test_id: (ours.get(test_id), theirs.get(test_id)) for test_id in ours.keys() | theirs.keys()
            if ours.get(test_id) != theirs.get(test_id)}


def suites_project(make=Project):
    return make(*(os.path.abspath(program) for program in programs.values()))


def failing():
    return {test_id: "fail" for test_id, status in plain().items() if status == "fail"}


def test_run():
    """hearth run in the project: the verdicts of the programs by themselves, with one server and with three"""
    for servers in "1", "3":
        with suites_project() as project:
            found = project.hearth_run("--servers", servers, status=1)
            assert not difference(found), difference(found)


def test_again():
    """hearth run --failing runs what failed and nothing else; hearth last and failing know both runs"""
    with suites_project() as project:
        project.hearth_run(status=1)
        last = project.call("hearth", "last", status=1)
        known = counts(plain())
        assert f"{known['success']} passed" in last and f"{known['skip']} skipped" in last, last[-500:]
        again = project.hearth_run("--failing", status=1)
        assert not difference(again, failing()), again
        assert f"{len(project.results(tear_downs=True))} tests" in project.call("hearth", "last", status=1)
        still = project.call("hearth", "failing", status=1).split("\n")
        assert set(failing()) <= set(still), still


def test_isolation_explained():
    """What fails for its isolation passes in one process: HEARTH_ISOLATION=none, in the program's order"""
    with suites_project() as project:
        project.environment["HEARTH_ISOLATION"] = "none"
        tests = [test_id for test_id in failing() if not test_id.endswith(".exit")]  # that is the warm process's
        found = project.hearth_run("--listed-order", "--", *(f"^{test_id}$" for test_id in tests), "SeesSequence/0$",
                                   status=1)
        found = {test_id: status for test_id, status in found.items() if not test_id.endswith(".exit")}
        assert set(found.values()) == {"success"} and len(found) == len(tests) + 1, found


def test_testr():
    """testr run --parallel over the same project, through hearth stream"""
    with suites_project() as project:
        project.call("testr", "init")
        tests, _, skips = testr_counts(project.call("testr", "run", "--parallel", status=1))
        assert tests >= len(plain()) and skips == counts(plain())["skip"], (tests, skips)
        lines = project.call("testr", "failing", "--list", status=1).split()
        assert {line for line in lines if not line.endswith(".teardown")} == set(failing()), lines
        # What testr remembers is what hearth run uses.
        assert not difference(project.hearth_run("--failing", status=1), failing())


def test_stestr():
    """stestr run over the same project"""
    with suites_project(stestr_project) as project:
        found = stestr_counts(project.call("stestr", "run", status=1))
        known = counts(plain())
        assert found["success"] == known["success"] and found["skip"] == known["skip"], (found, known)


if __name__ == "__main__":
    sys.exit(e2e.main())
