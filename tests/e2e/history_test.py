#!/usr/bin/python3
"""hearth last, failing, slowest, history and flaky, over every kind of repository, after real runs."""

import io
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "history"))

import e2e  # noqa: E402
import hearth_client  # noqa: E402
import subunit  # noqa: E402
import testtools  # noqa: E402
from e2e import Folder, programs  # noqa: E402
from repositories import Project, Recorder, record, small_disk  # noqa: E402

OTHERS = {".testrepository": "testr init", ".stestr": "stestr init"}
KINDS = {**OTHERS, ".inquest": "inq init", ".hearth": "true"}
PASSES = "behaviours_googletest.Verdict.Passes"
FAILS = "behaviours_googletest.Verdict.FailsWithMessage"


def hearth(project, *arguments, status=0):
    return project.call(hearth_client.Server.hearth, *arguments, status=status)


def complaint(project, *arguments):
    status, out, err = project.run(hearth_client.Server.hearth, *arguments)
    assert status == 2 and not out, (status, out)
    return err


def run(project, *arguments, status):
    return hearth(project, "run", *arguments, programs["behaviours_googletest"],
                  "--", r"Verdict\.(Passes|FailsWithMessage|Skips)$", status=status)


def statuses(stream):
    """{id: status} of a subunit v2 stream."""
    found = {}

    class Result(testtools.StreamResult):
        def status(self, test_id=None, test_status=None, **_):
            if test_status is not None:
                found[test_id] = test_status

    subunit.ByteStreamToStreamResult(io.BytesIO(stream)).run(Result())
    return found


def test_after_a_run():
    """After hearth run: last, failing, slowest, history in every kind of repository"""
    for folder, command in KINDS.items():
        with Project(command) as project:
            run(project, status=1)
            assert os.path.isdir(project.file(folder)), os.listdir(project.path)
            assert (folder == ".hearth") == os.path.isdir(project.file(".hearth"))
            last = hearth(project, "last", status=1)
            assert f"FAIL   {FAILS}" in last and "behaviours_googletest.cpp" in last, last
            assert "3 tests" in last and "1 passed, 1 failed, 1 skipped" in last, last
            assert hearth(project, "failing", status=1) == FAILS + "\n"
            assert "behaviours_googletest.cpp" in hearth(project, "failing", "--verbose", status=1)
            table = hearth(project, "slowest").splitlines()
            assert table[0].split() == ["Test", "id", "Runtime", "(s)"] and len(table) == 5, table
            assert len(hearth(project, "slowest", "1").splitlines()) == 3
            story = hearth(project, "history", FAILS)
            assert "1 execution, 1 of 1 result failed" in story, story
            returned, stream, _ = project.run(hearth_client.Server.hearth, "last", "--subunit")
            assert returned == 0 and statuses(stream)[PASSES] == "success", statuses(stream)
            returned, stream, _ = project.run(hearth_client.Server.hearth, "failing", "--subunit")
            assert returned == 0 and statuses(stream) == {FAILS: "fail"}, statuses(stream)


def test_others_after_a_run():
    """After hearth run: real testr and stestr show the same"""
    for folder, command in OTHERS.items():
        with Project(command) as project:
            run(project, status=1)
            tool = command.split()[0]
            assert FAILS in project.call(tool, "last", status=1)
            assert project.call(tool, "failing", "--list", status=1).split() == [FAILS]
            assert PASSES in project.call(tool, "slowest")


def test_runs_that_use_it():
    """hearth run --failing runs what failed the last time, and what passes then is forgotten"""
    for folder, command in KINDS.items():
        with Project(command) as project:
            record(project, [(PASSES, "fail", 1), (FAILS, "success", 1)])
            hearth(project, "run", "--failing", programs["behaviours_googletest"])
            assert hearth(project, "failing") == ""
            assert "1 test" in hearth(project, "last")
            hearth(project, "run", "--failing", programs["behaviours_googletest"], status=4)
            assert "1 test" in hearth(project, "last"), "a run of nothing was recorded"


def test_from_elsewhere():
    """-C, and a directory of testr's own runs"""
    with Project("testr init") as project:
        project.write("stream", b"")
        record(project, [("a", "fail", 2), ("b", "success", 1)])
        with Project() as elsewhere:
            assert hearth(elsewhere, "failing", "-C", project.path, status=1) == "a\n"
            assert "there is none" in complaint(elsewhere, "failing")
            assert "nowhere" in complaint(elsewhere, "last", "-C", "nowhere")


def test_flaky():
    """Tests that pass on retry, or change their verdict while the programs do not"""
    with Project() as project, Folder() as gate:
        with Recorder(project) as recorder:
            recorder.begin()
            recorder.result("p.Retried", "fail", retry=True)
            recorder.result("p.Retried", attempt=2)
            recorder.result("p.Steady")
            recorder.end()
        shown = hearth(project, "flaky")
        assert "p.Retried  1 of 2  50.0 %  passed on retry 1 time" in shown, shown
        assert "p.Steady" not in shown and "1 flaky test in the last 1 run\n" in shown, shown
        gate.make_gate("bystander")
        gate.open_gate("bystander")
        waits = [programs["faults"], "--", "Bystander.Waits/0$"]
        hearth(project, "run", *gate.options, *waits)
        with Folder() as no_gate:
            hearth(project, "run", *no_gate.options, *waits, status=1)
        shown = hearth(project, "flaky")
        assert "faults.All/Bystander.Waits/0  1 of 2  50.0 %  passed and failed without a change" in shown, shown
    with Project("testr init") as project:
        for status in "success", "fail", "success":
            record(project, [("p.Turns", status, 1)])
        _, out, err = project.run(hearth_client.Server.hearth, "flaky")
        assert b"p.Turns  1 of 3  33.3 %  turned 2 times" in out and "testr does not tell" in err, (out, err)


def test_interrupted():
    """An interrupted run is recorded as far as it came, and failures that it did not come to stay"""
    for folder, command in KINDS.items():
        with Project(command) as project, Folder() as gate:
            record(project, [("faults.Other", "fail", 1)])
            gate.make_gate("bystander")
            process = subprocess.Popen(
                [hearth_client.Server.hearth, "run", "--jobs", "1", *gate.options, programs["faults"], "--",
                 "Bystander.Waits/0|Quick.Passes/[01]$"],
                cwd=project.path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            gate.await_lines("bystanders", 1)
            process.send_signal(signal.SIGINT)
            assert process.wait(hearth_client.DEADLINE) == 130
            assert "faults.Other\n" in hearth(project, "failing", status=1)
            status, out, err = project.run(hearth_client.Server.hearth, "last")
            assert status in (0, 1) and (b"run 1" in out or b"run 2" in out), (status, out, err)
            assert (b"not finished" in out) == (folder == ".hearth"), out


def test_trouble():
    """Histories that cannot be read or written: said, and the run's exit code is that of its tests"""
    with Project() as project:
        os.mkdir(project.file(".hearth"))
        project.write(".hearth/history.db", b"x" * 5000)
        assert "not a database; move it away" in complaint(project, "last")
        assert "not a database; move it away" in run(project, status=1)
    with Project("testr init") as project:
        project.write(".testrepository/format", "2\n")
        assert "/format is not 1" in complaint(project, "failing")
        assert "/format is not 1" in run(project, status=1)
    with Project() as project, small_disk(project, 500_000) as disk:
        said = hearth(project, "run", "-C", disk, programs["faults"], "--", "Quick.Passes/0$|Output.Prints1Megabyte$")
        assert "make room" in said and "2 passed" in said, said


def test_usage():
    """Wrong arguments are usage errors"""
    with Project() as project:
        for arguments in ["last", "x"], ["slowest", "0"], ["history"], ["history", "a", "b"], ["flaky", "--subunit"]:
            complaint(project, *arguments)
        record(project, [("--odd", "success", 1)])
        assert "--odd" in hearth(project, "history", "--", "--odd")
        assert "no run in the history in .hearth" in complaint(project, "history", "b")


if __name__ == "__main__":
    sys.exit(e2e.main())
