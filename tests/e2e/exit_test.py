#!/usr/bin/python3
"""The end of a program is a result; what a test registers for its end runs at its end, and nothing else does."""

import os
import subprocess

import e2e
from e2e import Folder, programs
from hearth_client import Server

FRAMEWORKS = ["googletest", "doctest", "cppunit"]


def name_of(framework):
    return f"ends_{framework}"


def server(framework, how="", folder=None, options=()):
    log = ("--env", f"ENDS_LOG={folder.path}/log", "--env", f"ENDS_FILE={folder.path}/file") if folder else ()
    return Server(programs[name_of(framework)], options=("--env", f"ENDS={how}", *log, *options))


def ids(framework, *names):
    return [f"{name_of(framework)}.{name}" for name in names]


def endings(framework):
    """How the program says no, and what the result says of it."""
    return {
        "abort": "killed by signal 6 (SIGABRT)",
        "status": "exited with status 3",
        "static": "exited with status 3",
        "atexit": "killed by signal 6 (SIGABRT)",
        **({"teardown": "in the tear-down"} if framework == "googletest" else {}),
    }


def test_ends_that_fail():
    """Tear-down, main after the tests, static destructors and exit handlers: trouble there fails the Run"""
    for framework in FRAMEWORKS:
        passes, end = ids(framework, "Test.Passes", "exit")
        for how, said in endings(framework).items():
            for isolation in ((), ("--isolation", "none")):
                with server(framework, how, options=isolation) as served:
                    results = served.run(passes, exit=None)
                    assert results.statuses() == {passes: "success", end: "fail"}, served.state()
                    assert said in results.of(end).text("traceback"), results.of(end)
                    assert served.goodbye() == 0


def test_all_of_a_plain_run():
    """A Run of all tests, with the member that says so or without, sees the end; a good one says nothing"""
    passes, end = ids("googletest", "Test.Passes", "exit")
    for how in ("", "status"):
        for exit in (None, True):
            with server("googletest", how) as served:
                statuses = served.run(exit=exit).statuses()
                assert statuses[passes] == "success", served.state()
                assert statuses.get(end) == ("fail" if how else None), served.state()


def test_ignored():
    """--exit ignore: the end comes with the session's, is told on stderr, and fails nothing, unless it is asked for"""
    passes, end = ids("googletest", "Test.Passes", "exit")
    with server("googletest", "status", options=("--exit", "ignore")) as served:
        assert served.run(passes, exit=None).statuses() == {passes: "success"}, served.state()
        assert served.goodbye() == 0
        assert "exited with status 3" in served.stderr(), served.stderr()
    with server("googletest", "status", options=("--exit", "ignore")) as served:
        assert served.run(passes, end, exit=None).statuses() == {passes: "success", end: "fail"}, served.state()


def test_put_off():
    """"exit": false leaves the end to a later Run of the session, also one of no tests"""
    passes, registers, end = ids("googletest", "Test.Passes", "Test.Registers", "exit")
    with Folder() as folder, server("googletest", "status", folder) as served:
        served.run(passes, exit=False)
        served.run(registers, exit=False)
        assert "main" not in folder.lines("log"), folder.lines("log")
        assert end not in served.collector.statuses(), served.state()
        served.until_done(served.ask_run([], exit=None))
        assert served.collector.of(end).status == "fail", served.state()
        assert folder.lines("log").count("main") == 1
        served.until_done(served.ask_run([], exit=None))  # nothing has run since
        assert folder.lines("log").count("main") == 1


def test_while_others_run():
    """A Run's Done does not wait for another of its session; the last of them sees the end"""
    passes, registers, end = ids("googletest", "Test.Passes", "Suite.Registers", "exit")
    with server("googletest", "status", options=("--jobs", "1")) as served:
        first, second = served.ask_run([passes], exit=None), served.ask_run([registers], exit=None)
        results = served.until_done(first, second)
        assert results.of(end).status == "fail", served.state()


def test_after_its_end():
    """A program that has ended is started again for the next Run, and ends again"""
    passes, end = ids("googletest", "Test.Passes", "exit")
    with Folder() as folder, server("googletest", "", folder) as served:
        for _ in range(3):
            assert served.run(passes, exit=None).statuses() == {passes: "success"}, served.state()
        assert folder.lines("log").count("main") == 3
        assert end not in served.collector.statuses()


def test_asked_for():
    """The end, loading and a suite's tear-down are not listed, but can be asked for, and pass where they are well"""
    checks = ids("googletest", "load", "Suite.teardown", "exit")
    with server("googletest") as served:
        assert not set(checks) & set(served.list()), served.state()
        assert set(served.list(checks)) == set(checks), served.state()
        assert served.run(*checks).statuses() == dict.fromkeys(checks, "success"), served.state()
    with server("googletest", "suite") as served:
        assert served.run(checks[1]).of(checks[1]).status == "fail", served.state()
        assert "in the suite's tear-down" in served.collector.of(checks[1]).text("traceback")
    with server("googletest", "status") as served:
        assert served.run(checks[2]).of(checks[2]).status == "fail", served.state()


def test_a_suite_that_runs_and_is_asked_for():
    """A suite's tear-down that is asked for beside its tests is that of their process, and has one result"""
    one, other, check = ids("googletest", "Suite.Passes", "Suite.Registers", "Suite.teardown")
    for jobs in ("1", "4"):
        for how, status in (("", "success"), ("suite", "fail")):
            with Folder() as folder, server("googletest", how, folder, options=("--jobs", jobs)) as served:
                results = served.run(one, other, check)
                assert results.statuses() == {one: "success", other: "success", check: status}, served.state()
                assert folder.lines("log").count("tear-down of the suite") == 1, folder.lines("log")


def test_started_for_each_test():
    """A program that is started anew for each test tears the test's suite down in it, and ends once more for its end"""
    test, passes, check, end = ids("googletest", "Suite.Passes", "Test.Passes", "Suite.teardown", "exit")
    for how, status in (("", "success"), ("suite", "fail")):
        with Folder() as folder, server("googletest", how, folder, options=("--env", "ENDS_THREAD=1")) as served:
            results = served.run(test, passes, exit=None)
            assert results.statuses() == {test: status, passes: "success"}, served.state()
            assert folder.lines("log").count("tear-down of the suite") == 1, folder.lines("log")
            assert ("in the suite's tear-down" in results.of(test).text("traceback")) == bool(how), results.of(test)
            assert served.run(check).of(check).status == "skip", served.state()
    with server("googletest", "status", options=("--env", "ENDS_THREAD=1")) as served:
        assert served.run(passes, exit=None).statuses() == {passes: "success", end: "fail"}, served.state()


def test_an_end_that_never_comes():
    """A program that hangs at its end is killed at the time limit, and has failed"""
    passes, end = ids("googletest", "Test.Passes", "exit")
    with server("googletest", "never", options=("--timeout", "1")) as served:
        results = served.run(passes, exit=None)
        assert results.statuses() == {passes: "success", end: "fail"}, served.state()
        assert "time limit of 1 s" in results.of(end).text("traceback"), results.of(end)


def test_what_a_test_registers():
    """What a test registers for its end runs at its end; what the program registered before does not, until its own"""
    of_test = ["test", "thread_local of the test", "atexit of the test", "static of the test"]
    for framework in FRAMEWORKS:
        names = ["Test.Registers"] + (["Suite.Registers"] if framework == "googletest" else [])
        for isolation in ((), ("--isolation", "none")):
            for test in ids(framework, *names):
                with Folder() as folder, server(framework, "", folder, options=isolation) as served:
                    assert served.run(test, exit=False).of(test).status == "success", served.state()
                    lines = [line for line in folder.lines("log") if "suite" not in line]
                    assert lines == of_test, (framework, isolation, test, lines)
                    assert folder.lines("file") == ["begin", "test"], folder.lines("file")
                    served.until_done(served.ask_run([], exit=None))
                    lines = [line for line in folder.lines("log") if "suite" not in line][len(of_test):]
                    assert lines[-4:] == ["main", "thread_local of the program", "static of the program",
                                          "atexit of the program"], lines
                    assert folder.lines("file") == ["begin", "test"], folder.lines("file")


def test_tests_that_fail_at_their_end():
    """A test whose exit handlers abort, or end its process with another status, has failed"""
    for framework in FRAMEWORKS:
        aborts, exits, calls = ids(framework, "Test.AbortsAtItsEnd", "Test.ExitsWith3AtItsEnd", "Test.CallsExit")
        with Folder() as folder, server(framework, "", folder) as served:
            results = served.run(aborts, exits, calls)
            for test, said in ((aborts, "SIGABRT"), (exits, "exited with status 3"), (calls, "exited with status 5")):
                assert results.of(test).status == "fail", served.state()
                assert said in results.of(test).text("traceback"), results.of(test)
            assert "static of the test" in folder.lines("log"), folder.lines("log")
            # exit() in the middle of a test takes the program's thread_locals along.
            of_program = {line for line in folder.lines("log") if "of the program" in line}
            assert of_program <= {"thread_local of the program"}, folder.lines("log")


def test_events():
    """A program's listener sees each test's start and end once, both in the test's own process, also in a suite's"""
    tests = ["Test.Passes", "Suite.Passes", "Suite.Registers"]
    for isolation in ((), ("--env", "ENDS_THREAD=1")):
        with Folder() as folder, server("googletest", "", folder, ("--env", "ENDS_EVENTS=1", *isolation)) as served:
            assert set(served.run(*ids("googletest", *tests), exit=None).statuses().values()) == {"success"}
            events = [line.split() for line in folder.lines("log") if line.startswith(("start ", "end "))]
            seen = {(event, test): pid for event, test, pid in events}
            assert sorted((event, test) for event, test, _ in events) == \
                sorted((event, test) for event in ("start", "end") for test in tests), events
            assert all(seen["start", test] == seen["end", test] for test in tests), events
            assert len(set(seen.values())) == len(tests), events


def test_suites_one_at_a_time():
    """With --jobs 1 suites do not overlap, whatever the order of their tests, in one program or in several"""
    tests = [f"{program}.Suite.{test}" for test in ("Passes", "Registers") for program in ("one", "two", "three")]
    with Folder() as folder:
        programs_of = [f"{name}={programs['ends_googletest']}" for name in ("one", "two", "three")]
        log = ("--env", f"ENDS_LOG={folder.path}/log", "--env", "ENDS=")
        with Server(*programs_of, options=("--jobs", "1", *log)) as served:
            assert served.run(*tests, exit=None).statuses() == dict.fromkeys(tests, "success"), served.state()
        lines = [line for line in folder.lines("log") if line.endswith("of the suite")]
        assert lines == ["set-up of the suite", "tear-down of the suite"] * 3, lines


def test_report_files():
    """Report files that the program would write are not those of a process that ran nothing"""
    asked = {
        "googletest": (("--env", "GTEST_OUTPUT=xml:{}"), ()),
        "doctest": ((), ("--reporters=junit", "--out={}")),
    }
    for framework, (options, arguments) in asked.items():
        with Folder() as folder:
            report = os.path.join(folder.path, "report.xml")
            with open(report, "w", encoding="utf-8") as file:
                file.write("of a real run")
            command = " ".join([programs[name_of(framework)], *(one.format(report) for one in arguments)])
            with Server(command, options=[one.format(report) for one in options]) as served:
                assert served.run(exit=None).of(ids(framework, "Test.Passes")[0]).status == "success", served.state()
                served.goodbye()
            with open(report, encoding="utf-8") as file:
                assert file.read() == "of a real run", framework


def test_hearth_run():
    """`hearth run` fails by the end of the program, once, and passes when it is well"""
    for how, code in (("", 0), ("status", 1), ("atexit", 1)):
        done = subprocess.run(
            [Server.hearth, "run", "--no-history", "--env", f"ENDS={how}", programs["ends_googletest"], "--", "Passes"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        assert done.returncode == code, done
        assert ("ends_googletest.exit" in done.stdout) == bool(how), done
        assert done.stdout.splitlines()[-1].startswith("2 passed, 1 failed" if how else "2 passed"), done


if __name__ == "__main__":
    raise SystemExit(e2e.main())
