#!/usr/bin/python3
"""Debian's testr, stestr and subunit's tools over our servers, and on what we write: real, and unmodified."""

import os
import re
import subprocess
import sys
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "e2e")]

import e2e  # noqa: E402
from e2e import programs  # noqa: E402
from project import Project, counts, stestr_counts, stestr_project, testr_counts  # noqa: E402

PLAIN = {"orchestrated.Plain.One": "success", "orchestrated.Plain.Two": "success",
         "orchestrated.Plain.Fails": "fail", "orchestrated.Plain.Skips": "skip"}
FAILS = "orchestrated.Plain.Fails"


def as_testr_counts(results):
    found = counts(results)
    return len(results), found.get("fail", 0), found.get("skip", 0)


def test_stestr():
    """PYTHON="hearth stream" stestr run, in a project without stestr init; last, failing, run --failing"""
    with stestr_project(programs["orchestrated"]) as project:
        printed = project.call("stestr", "run", "--concurrency", "2", "Plain", status=1)
        assert stestr_counts(printed) == counts(PLAIN) and "as it should" in printed, printed
        assert "Worker 0 (2 tests)" in printed and "Worker 1 (2 tests)" in printed, printed
        assert sorted(project.call("stestr", "list", "Plain").split()) == sorted(PLAIN)
        assert stestr_counts(project.call("stestr", "last", status=1)) == counts(PLAIN)
        assert project.call("stestr", "failing", "--list", status=1).split() == [FAILS]
        again = project.call("stestr", "run", "--failing", status=1)
        assert stestr_counts(again) == {"fail": 1} and FAILS in again, again
        # And the two take turns in one repository.
        assert project.hearth_run("--failing", status=1) == {FAILS: "fail"}
        assert stestr_counts(project.call("stestr", "last", status=1)) == {"fail": 1}
        passed = project.call("stestr", "run", "--serial", r"Plain\.(One|Two)")
        assert stestr_counts(passed) == {"success": 2}, passed


def test_testr():
    """testr run --parallel, --failing, last and failing, through hearth stream; hearth run in the same repository"""
    with Project(programs["orchestrated"]) as project:
        project.call("testr", "init")
        ran = project.call("testr", "run", "--parallel", "Plain", status=1)
        assert testr_counts(ran) == as_testr_counts(PLAIN) and "process-returncode" not in ran, ran
        assert testr_counts(project.call("testr", "last", status=1)) == as_testr_counts(PLAIN)
        for options in [], ["--parallel"]:
            again = project.call("testr", "run", "--failing", *options, status=1)
            assert testr_counts(again) == (1, 1, 0) and "as it should" in again, again
        assert project.hearth_run("--failing", status=1) == {FAILS: "fail"}
        assert project.call("testr", "failing", "--list", status=1).split() == [FAILS]
        assert project.hearth_run("--", "Plain.One") == {"orchestrated.Plain.One": "success"}
        assert project.call("testr", "failing", "--list", status=1).split() == [FAILS]
        assert "PASSED" in project.call("testr", "last")


def test_ends():
    """testr run --failing, stestr run --failing: a program's end, a suite's tear-down and a load that failed, and then are well"""
    for way, test in ("exit", "ends.exit"), ("suite", "ends.Suite.teardown"), ("load", "ends.load"):
        for tool in "testr", "stestr":
            served = f"ends='{programs['ends']}' {way}"
            with (Project(served) if tool == "testr" else stestr_project(served)) as project:
                project.environment["FAULTS_DIR"] = project.path
                project.call(tool, "init")
                project.call(tool, "run", status=1)
                assert project.call(tool, "failing", "--list", status=1).split() == [test]
                again = project.call(tool, "run", "--failing", status=1)
                assert test in again and "no test of that id" not in again, again
                project.write("well", "")
                project.call(tool, "run", "--failing")
                assert project.call(tool, "failing", "--list").split() == []


LARGE = [f"large.Large.{name}" for name in ("Beside", "Characters", "Lines", "Message", "Output")]


def test_large_attachments():
    """testr run, stestr run, testr load: of a failure with 5 MiB nothing is lost, neither its end nor the others"""
    for tool in "testr", "stestr":
        with (Project(programs["large"]) if tool == "testr" else stestr_project(programs["large"])) as project:
            project.call(tool, "init")
            ran = project.call(tool, "run", status=1)
            assert "Length too long" not in ran and "the last line" in ran, ran[-2000:]
            assert sorted(project.call(tool, "failing", "--list", status=1).split()) == LARGE
            assert "the last line" in project.call(tool, "last", status=1)
            project.call(tool, "last", "--subunit")
            project.call(tool, "failing", "--subunit")
            project.call(tool, "run", "--failing", status=1)
    with Project(programs["large"]) as project:
        project.hearth_run("--no-history", "--servers", "2", "--subunit", "stream", status=1)
        project.call("testr", "init")
        project.call("testr", "load", "stream", status=1)
        assert sorted(project.call("testr", "failing", "--list", status=1).split()) == LARGE
        # And what hearth records itself.
        project.hearth_run(status=1)
        assert sorted(project.call("testr", "failing", "--list", status=1).split()) == LARGE
        project.call("testr", "last", "--subunit")


def test_meson_reads_tap():
    """Meson's parser finds our points in --tap, and nothing else, whatever tests say"""
    try:
        sys.path.append("/usr/lib/python3/dist-packages")
        from mesonbuild.mtest import TAPParser
    except ImportError as why:
        raise e2e.Skip(f"Meson's Python modules are not here: {why}") from why
    with Project(programs["large"], programs["orchestrated"]) as project:
        results = project.hearth_run("--no-history", "--tap", "tap", "--", "Large.(Lines|Beside)", "Plain", status=1)
        with open(project.file("tap"), encoding="utf-8") as file:
            events = list(TAPParser().parse(file))
        kinds = [type(event).__name__ for event in events]
        assert kinds == ["Version", *["Test"] * len(results), "Plan"], events


def test_testr_loads():
    """testr load, stestr load of what hearth run --servers 2 --subunit wrote: all results, and which server ran them"""
    with stestr_project(programs["orchestrated"]) as project:
        results = project.hearth_run("--no-history", "--servers", "2", "--subunit", "stream", "--", "Plain", status=1)
        assert results == PLAIN, results
        project.call("testr", "init")
        loaded = project.call("testr", "load", "stream", status=1)
        assert testr_counts(loaded) == as_testr_counts(results), loaded
        assert project.call("testr", "failing", "--list", status=1).split() == [FAILS]
        assert "tags: worker-" in project.call("testr", "last", status=1)
        project.call("stestr", "init")
        with open(project.file("stream"), "rb") as stream:
            project.call("stestr", "load", stdin=stream)
        last = project.call("stestr", "last", status=1)
        assert stestr_counts(last) == counts(results) and "Worker" in last, last


def test_subunit_tools():
    """subunit-ls, subunit-stats, subunit2junitxml and subunit-2to1 find in our stream what hearth run counted"""
    with Project(programs["orchestrated"]) as project:
        results = project.hearth_run("--no-history", "--servers", "2", "--subunit", "stream", "--", "Plain", status=1)

        def tool(*command, status=0):
            with open(project.file("stream"), "rb") as stream:
                return project.call(*command, status=status, stdin=stream)

        assert sorted(tool("subunit-ls", status=1).split()) == sorted(results)
        told = tool("subunit-stats", status=1)
        stats = {name: int(number) for name, number in re.findall(r"^(\w+) tests: +(\d+)$", told, re.M)}
        found = counts(results)
        assert stats == {"Total": 4, "Passed": found["success"], "Failed": found["fail"], "Skipped": found["skip"]}, told
        junit = xml.etree.ElementTree.fromstring(tool("subunit2junitxml", status=1))
        assert junit_results(junit) == results, tool("subunit2junitxml", status=1)
        ours = xml.etree.ElementTree.fromstring(junit_of(project))
        assert junit_results(ours) == results
        assert tool("subunit-2to1").count("\nsuccessful: ") == found["success"]


def junit_of(project):
    project.call("hearth", "run", "--no-history", "--junit", "junit.xml", "--", "Plain", status=1)
    with open(project.file("junit.xml"), "rb") as file:
        return file.read()


def junit_results(junit):
    kinds = {"failure": "fail", "error": "fail", "skipped": "skip"}
    return {f"{case.get('classname')}.{case.get('name')}":
            next((kinds[part.tag] for part in case if part.tag in kinds), "success") for case in junit.iter("testcase")}


def test_server_command_alone():
    """--server COMMAND stands for a .testr.conf; a .testr.conf with only a server_command serves stestr as well"""
    with stestr_project() as project:
        command = f"hearth serve {programs['orchestrated']}"
        listed = project.call("hearth", "stream", "--server", command, "--list")
        assert "orchestrated.Plain.One" in listed
        project.write(".testr.conf", f"[DEFAULT]\nserver_command={command}\n")
        assert stestr_counts(project.call("stestr", "run", "Plain", status=1)) == counts(PLAIN)


def test_no_server():
    """A server that does not begin: hearth stream says so, and testr and stestr do not take it for a pass"""
    with stestr_project() as project:
        project.write(".testr.conf", "[DEFAULT]\nserver_command=exit 7\ntest_command=hearth stream $LISTOPT $IDOPTION\n"
                                     "test_list_option=--list\ntest_id_option=--load-list $IDFILE\n")
        done = subprocess.run(["hearth", "stream"], cwd=project.path, env=project.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)
        assert done.returncode == 2 and "status 7" in done.stderr and not done.stdout, done
        project.call("testr", "init")
        for command in ["testr", "run", "--parallel"], ["testr", "run"], ["stestr", "run"]:
            done = subprocess.run(command, cwd=project.path, env=project.environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, check=False)
            assert done.returncode != 0 and "status 7" in done.stderr + done.stdout, (command, done)


if __name__ == "__main__":
    sys.exit(e2e.main())
