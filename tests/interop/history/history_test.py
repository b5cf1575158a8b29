#!/usr/bin/python3
"""What others make of the runs that we record in their repositories, and we of theirs."""

import contextlib
import datetime
import glob
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "e2e"))

import e2e  # noqa: E402
from repositories import Project, Recorder, past, record, small_disk, stream  # noqa: E402

START = datetime.datetime(2026, 11, 20, 15, tzinfo=datetime.timezone.utc)
ODD_IDS = ["p.S.T/0", "p.Größe.µm", "p.S.with space [", "p.S.it's", 'p.S."quoted"', "p.S.back\\slash", "p.S.50%",
           "p.S.<int, float>", "p.S.T[tagged]", "p.S.日本語"]


def as_stream(results):
    return stream([(test, status, datetime.timedelta(seconds=seconds)) for test, status, seconds in results], START)


def lines(text):
    return sorted(text.splitlines())


def slowest(text):
    """{id: seconds} of the table that testr and stestr print."""
    rows = [line.rsplit(None, 1) for line in text.splitlines()[2:]]
    return {test: float(seconds) for test, seconds in rows}


def test_testr_reads():
    """testr last, failing, slowest, stats on a run of ours"""
    with Project("testr init") as project:
        with Recorder(project) as recorder:
            recorder.begin(workers=2)
            recorder.result("p.S.Works", seconds=0.5)
            recorder.result("p.S.Breaks", "fail", seconds=2.5, worker=1,
                            files={"traceback": "Größe: 3 µm\n]\nFAIL", "stdout": ""})
            recorder.result("p.S.Skips", "skip", files={"reason": "no net"})
            recorder.result("p.S.ExpectedToFail", "xfail")
            assert recorder.end() == "0"
        last = project.call("testr", "last", status=1)
        assert "FAIL: p.S.Breaks\ntags: worker-1\n" in last and "Größe: 3 µm\n]\nFAIL" in last, last
        assert "Ran 4 tests in 3.500s" in last and "FAILED (id=0, failures=1, skips=1)" in last, last
        assert lines(project.call("testr", "failing", "--list", status=1)) == ["p.S.Breaks"]
        assert slowest(project.call("testr", "slowest")) == {
            "p.S.Breaks": 2.5, "p.S.Works": 0.5, "p.S.Skips": 0.25, "p.S.ExpectedToFail": 0.25}
        assert project.call("testr", "stats") == "runs=1\n"
        record(project, [("p.S.Works", "success", 0.1)], all=True)
        assert "PASSED (id=1)" in project.call("testr", "last")
        assert project.call("testr", "failing", "--list") == ""


def test_stestr_reads():
    """stestr last, failing, slowest, history on a run of ours"""
    with Project("stestr init") as project:
        with Recorder(project) as recorder:
            recorder.begin(workers=2)
            recorder.result("p.S.Works[smoke]", seconds=0.5)
            recorder.result("p.S.Breaks", "fail", seconds=2.5, worker=1, files={"traceback": "why"})
            recorder.result("p.S.Skips", "skip", files={"reason": "no net"})
            assert recorder.end() == "0"
        last = project.call("stestr", "last", status=1)
        assert "{1} p.S.Breaks [2.500000s] ... FAILED" in last and "SKIPPED: no net" in last, last
        assert " - Worker 1 (1 tests)" in last, last
        assert "p.S.Breaks" in project.call("stestr", "failing", "--list", status=1)
        assert slowest(project.call("stestr", "slowest")) == {"p.S.Breaks": 2.5, "p.S.Works[smoke]": 0.5, "p.S.Skips": 0.25}
        assert "p.S.Breaks" in project.call("stestr", "history", "show", "0", status=1)


def columns(path):
    """What a database's tables are made of."""
    with contextlib.closing(sqlite3.connect(path)) as database:
        tables = [name for name, in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {table: [column[1:] for column in database.execute(f"PRAGMA table_info({table})")] for table in tables}


def test_inq():
    """inq last, failing, slowest, stats, info on runs of ours; we read what inq load wrote"""
    if not shutil.which("inq"):
        raise e2e.Skip("no inq here: Debian has no package of inquest")
    with Project("inq init") as stand_in, Project() as kept_as_v2, Project() as project:
        project.call("inq", "init")
        database = ".inquest/metadata.db"
        assert columns(project.file(database)) == columns(stand_in.file(database))
        kept_as_v2.call("testr", "init")
        for place in kept_as_v2, project:
            loaded = as_stream([("p.S.Loaded", "success", 0.75), ("p.S.Breaks", "success", 0.5)])
            place.call("inq", "load", stdin=loaded)
            assert past(place)["durations"] == {"p.S.Loaded": 0.75, "p.S.Breaks": 0.5}
            with Recorder(place) as recorder:
                recorder.begin(workers=2)
                recorder.result("p.S.Works", seconds=0.5)
                recorder.result("p.S.Breaks", "fail", seconds=2.5, worker=1, files={"traceback": "Größe: 3 µm\n", "stdout": ""})
                recorder.result("p.S.Skips", "skip", files={"reason": "no net"})
                assert recorder.end() == "1"
            last = place.call("inq", "last", status=1)
            assert "Test run: 1\n" in last and "FAIL: p.S.Breaks\n" in last and "Größe: 3 µm\n" in last, last
            assert "Total tests: 3\n" in last and "Failed: 1\n" in last and "Total time: 3.250s\n" in last, last
            assert lines(place.call("inq", "failing", "--list", status=1)) == ["p.S.Breaks"]
            assert "2.500s ( 76.9%) - p.S.Breaks" in place.call("inq", "slowest")
            assert "Total test runs: 2\n" in place.call("inq", "stats")
        assert "Concurrency: 3\n" in project.call("inq", "info")


def test_odd_ids():
    """Ids of all kinds come back from testr and stestr as they are, with their durations"""
    for tool in "testr", "stestr":
        with Project(f"{tool} init") as project:
            record(project, [(test, "fail", 0.25) for test in ODD_IDS])
            assert lines(project.call(tool, "failing", "--list", status=1)) == sorted(ODD_IDS)
            found = past(project)
            assert sorted(found["failing"]) == sorted(ODD_IDS)
            assert {test: found["durations"].get(test) for test in ODD_IDS} == {test: 0.25 for test in ODD_IDS}, found
            assert set(slowest(project.call(tool, "slowest", "--all"))) == set(ODD_IDS)


def test_we_read_testr():
    """We read what testr load and stestr load wrote, and add to it; the times stay of the tool's kind"""
    results = [(test, "fail", 0.5) for test in ODD_IDS] + [("p.S.Works", "success", 1.5)]
    for tool in "testr", "stestr":
        with Project(f"{tool} init") as project:
            project.call(tool, "load", stdin=as_stream(results), status=1 if tool == "testr" else 0)
            found = past(project)
            assert sorted(found["failing"]) == sorted(ODD_IDS), found
            assert found["durations"]["p.S.Works"] == 1.5, found
            files = sorted(os.path.basename(path) for path in glob.glob(project.file(f".{tool}*/times*")))
            record(project, [("p.S.Works", "success", 7.25), ("p.S.New", "fail", 0.125)], all=False)
            assert files == sorted(os.path.basename(path) for path in glob.glob(project.file(f".{tool}*/times*")))
            assert lines(project.call(tool, "failing", "--list", status=1)) == sorted([*ODD_IDS, "p.S.New"])
            assert slowest(project.call(tool, "slowest")) == {"p.S.Works": 7.25, "p.S.New": 0.125}
            assert past(project)["durations"]["p.S.T/0"] == 0.5
            assert "because" in project.call(tool, "failing", status=1)


def test_same_as_testr():
    """After any sequence of runs, failures and times are those that testr itself would have"""
    chance = random.Random(20261120)
    ids = [f"p.S.T{number}" for number in range(8)]
    for _ in range(2):
        with Project("testr init") as theirs, Project("testr init") as ours:
            for whole in chance.choices([True, False], k=4):
                chosen = ids if whole else chance.sample(ids, 3)
                results = [(test, chance.choice(["success", "fail", "skip", "xfail"]), chance.randrange(1, 9) / 4)
                           for test in chosen]
                option = [] if whole else ["--partial"]
                theirs.run("testr", "load", *option, stdin=as_stream(results))
                record(ours, results, all=whole)
                assert lines(theirs.run("testr", "failing", "--list")[1].decode()) == lines(
                    ours.run("testr", "failing", "--list")[1].decode()), results
                assert slowest(theirs.call("testr", "slowest")) == slowest(ours.call("testr", "slowest")), results
            assert past(theirs)["durations"] == past(ours)["durations"]
            assert sorted(past(theirs)["failing"]) == sorted(past(ours)["failing"])


def test_turn_by_turn():
    """testr run and we, one after the other, in one repository that one or the other began"""
    for testr_first in True, False:
        with Project("testr init") as project:
            project.write("stream", as_stream([("a", "fail", 2), ("b", "success", 1)]))
            project.write(".testr.conf", "[DEFAULT]\ntest_command=cat stream\n")
            if testr_first:
                project.call("testr", "run", status=1)
            record(project, [("a", "success", 3), ("c", "fail", 1)], all=False)
            assert lines(project.call("testr", "failing", "--list", status=1)) == ["c"]
            project.call("testr", "run", status=1)
            assert lines(project.call("testr", "failing", "--list", status=1)) == ["a"]
            assert past(project) == {"durations": {"a": 2, "b": 1, "c": 1}, "failing": ["a"]}
            assert project.call("testr", "stats") == f"runs={3 if testr_first else 2}\n"


def check_readable(project, tool, runs):
    assert project.read(f".{tool}/next-stream" if tool == "stestr" else ".testrepository/next-stream") == b"%d\n" % runs
    if runs:
        status, out, err = project.run(tool, "last")
        assert status in (0, 1) and "Traceback (most recent call last)" not in err, (out, err)
    status, _, err = project.run(tool, "failing", "--list")
    assert status in (0, 1) and "Traceback (most recent call last)" not in err, err
    past(project)


def test_killed_in_others():
    """Killed at any moment, we leave testr's and stestr's repositories readable, and without remains of the run"""
    chance = random.Random(7)
    for tool in "testr", "stestr":
        with Project(f"{tool} init") as project:
            record(project, [("a", "fail", 1), ("b", "success", 1)])
            for _ in range(15):
                recorder = Recorder(project)
                recorder.begin(all=False)
                recorder.process.stdin.write(b'{"do": "many", "count": 2000, "fail_every": 3}\n{"do": "end"}\n')
                recorder.process.stdin.flush()
                if chance.random() < 0.8:  # in the middle, or about when it ends
                    recorder.process.stdout.readline()
                try:
                    recorder.process.wait(chance.random() * 0.03)
                except subprocess.TimeoutExpired:
                    pass
                recorder.process.kill()
                recorder.process.wait()
                recorder.process.stdin.close()
                recorder.process.stdout.close()
                found = past(project)
                assert "a" in found["failing"] and found["durations"]["b"] == 1, found
            name = record(project, [("c", "success", 1)], all=False)
            check_readable(project, tool, int(name) + 1)
            folder = project.file(".stestr" if tool == "stestr" else ".testrepository")
            remains = [name for name in os.listdir(folder) if name.endswith(".new") or name.startswith(".hearth")]
            assert not remains, remains


def test_killed_in_databases():
    """Killed in the middle of a run, we leave a readable history with what had come up to the last seconds"""
    for command in "true", "inq init":
        with Project(command) as project:
            check_killed(project, ".hearth/history.db" if command == "true" else ".inquest/metadata.db")


def check_killed(project, database):
    first = int(record(project, [("a", "fail", 1)]))
    recorder = Recorder(project)
    recorder.begin(all=False)
    recorder.ask(do="many", count=500, fail_every=10)
    for _ in range(20):
        recorder.ask(do="tick")
    recorder.process.send_signal(signal.SIGKILL)
    recorder.process.wait()
    recorder.process.stdin.close()
    recorder.process.stdout.close()
    found = past(project)
    assert len(found["failing"]) == 51 and len(found["durations"]) == 501, found
    with contextlib.closing(sqlite3.connect(project.file(database))) as opened:
        assert opened.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert opened.execute("SELECT id FROM runs").fetchall() == [(first,), (first + 1,)]
    assert len(project.read(os.path.join(os.path.dirname(database), "runs", str(first + 1)))) > 500 * 50
    assert record(project, [("a", "success", 1)]) == str(first + 2)
    assert past(project)["failing"] == []


def test_two_writers():
    """Two processes that record at once, in each kind of repository: both runs are there, whole"""
    for command in KINDS:
        with Project(command) as project, Recorder(project) as first, Recorder(project) as second:
            for one in first, second:
                one.begin(all=False)
            for one, name in (first, "first"), (second, "second"):
                one.process.stdin.write(b"".join(
                    b'{"do": "result", "id": "%s.%d", "status": "fail"}\n' % (name.encode(), number)
                    for number in range(300)) + b'{"do": "end"}\n')
                one.process.stdin.flush()
            for one in first, second:
                for _ in range(301):
                    assert one.process.stdout.readline() == b"{}\n"
            assert {first.ask(do="finish")["run"], second.ask(do="finish")["run"]} in ({"0", "1"}, {"1", "2"})
            found = past(project)
            assert len(found["failing"]) == 600 and len(found["durations"]) == 600


def failed_run(project, **options):
    """A run that cannot be written: what is said; the run went on to its end all the same."""
    with Recorder(project, create=True, **options) as recorder:
        answer = recorder.answer(do="record")
        if "error" not in answer:
            recorder.ask(do="begin", all=True)
            recorder.ask(do="many", count=20000, fail_every=2)
            recorder.ask(do="end")
            answer = recorder.answer(do="finish")
        return answer["error"]


KINDS = {"testr init": ".testrepository", "stestr init": ".stestr", "inq init": ".inquest", "true": ".hearth"}


def test_file_too_large():
    """A write that fails leaves what was recorded before as it was, and says which file and why"""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    for command, repository in KINDS.items():
        with Project(command) as project:
            record(project, [("a", "fail", 1)])
            before = past(project)
            error = failed_run(project, limit=limit)
            assert repository in error and ("File too large; raise the limit" in error or "disk I/O" in error), error
            found = past(project)
            assert "a" in found["failing"] and found["durations"]["a"] == before["durations"]["a"]
            record(project, [("a", "success", 1)])
            assert past(project)["failing"] == []


def test_disk_full():
    """The same on a disk that is full"""
    for command, repository in KINDS.items():
        with Project(command) as project, small_disk(project, 400_000) as disk:
            project.path, outside = disk, project.path
            project.run("cp", "-r", outside + "/" + repository, disk)
            record(project, [("a", "fail", 1)])
            error = failed_run(project)
            assert repository in error and ("No space left on device; make room" in error or "disk is full; make room" in error), error
            found = past(project)
            assert "a" in found["failing"], found
            project.path = outside


def test_read_only():
    """A repository that can only be read is read, and what cannot be written is said"""
    for command, repository in KINDS.items():
        with Project(command) as project, small_disk(project, 4_000_000) as disk:
            project.path, outside = disk, project.path
            project.run("cp", "-r", outside + "/" + repository, disk)
            record(project, [("a", "fail", 1)])
            subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
            assert past(project)["failing"] == ["a"]
            error = failed_run(project)
            assert repository in error and "read-only" in error.lower(), error
            project.path = outside


if __name__ == "__main__":
    sys.exit(e2e.main())
