#!/usr/bin/python3
"""Suites, and what happens when a warm process is lost, by a test's hand or another's."""

import os
import signal
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, is_alive, signal_all, state_of

FAULTS = "faults."


def faults(folder, *options):
    return Server(programs["faults"], options=(*options, *folder.options))


def named(*tests):
    return [FAULTS + test for test in tests]


BYSTANDERS = named(*(f"All/Bystander.Waits/{number}" for number in range(3)))


def check_statuses(server, expected):
    statuses = {test: status for test, status in server.collector.statuses().items()}
    wrong = {test: statuses.get(test) for test, status in expected.items() if statuses.get(test) != status}
    assert not wrong, f"{wrong}\n{server.state()}"


def test_killed_parent():
    """A test that kills its warm process fails; those that ran beside it run again, and pass"""
    with Folder() as folder, faults(folder, "--jobs", "4") as server:
        folder.make_gate("bystander")
        run = server.ask_run([*BYSTANDERS])
        folder.await_lines("bystanders", 3)
        kill = server.ask_run(named("Kills.ItsParent", *(f"All/Quick.Passes/{n}" for n in range(20))))
        folder.await_lines("killers", 1)
        folder.open_gate("bystander", 6)  # some may have passed it when they are killed
        server.until_done(run, kill)
        check_statuses(server, {test: "success" for test in BYSTANDERS} | {FAULTS + "Kills.ItsParent": "fail"}
                       | {f"faults.All/Quick.Passes/{n}": "success" for n in range(20)})
        killer = server.collector.of(FAULTS + "Kills.ItsParent")
        assert "warm process was killed by signal 9 (SIGKILL) while this test ran, alone" in killer.text("traceback")
        for test in BYSTANDERS:
            assert "was run once more" in server.collector.of(test).text("rerun"), server.state()
        assert len(folder.lines("killers")) == 2


def test_several_killers():
    """Several such tests one after the other, and those behind them pass"""
    killers = named("Kills.ItsParent", "Kills.ItsParentToo", "Kills.ItsParentAsWell")
    for jobs in "1", "4":
        with Folder() as folder, faults(folder, "--jobs", jobs) as server:
            others = named(*(f"All/Quick.Passes/{n}" for n in range(20)))
            server.run(*killers, *others)
            check_statuses(server, {test: "fail" for test in killers} | {test: "success" for test in others})


def test_killed_once():
    """A test that is lost with its warm process once runs again as one execution"""
    test = FAULTS + "Kills.ItsParentOnce"
    with Folder() as folder, faults(folder) as server:
        folder.make_gate("kill")
        run = server.ask_run([test])
        folder.await_lines("killers")
        server.until(lambda so_far: so_far.results and so_far.of(test).text("stdout"), "the first output")
        folder.open_gate("kill")
        result = server.until_done(run).of(test)
        assert result.status == "success" and result.started == 1, result
        assert result.text("stdout") == "one attempt\none attempt\n", result
        assert "was killed by signal 9 (SIGKILL) while this test ran" in result.text("rerun"), result


def test_zygote_killed_from_outside():
    """A warm process that is killed from outside is started again; no result is lost, at any of many moments"""
    tests = named(*(f"All/Quick.Passes/{n}" for n in range(60)))
    for moment in range(0, 60, 6):
        with Folder() as folder, faults(folder, "--jobs", "2") as server:
            server.list()
            run = server.ask_run(tests)
            server.until(lambda so_far: sum(1 for status in so_far.statuses().values() if status) >= moment, "a moment")
            signal_all(server.zygote_pids(), signal.SIGKILL)
            server.until_done(run)
            check_statuses(server, {test: "success" for test in tests})
            assert server.goodbye() == 0


def test_zygote_killed_while_idle():
    """A warm process that is killed between two Runs is started again for the second"""
    test = FAULTS + "Leaves.Nothing"
    with Folder() as folder, faults(folder) as server:
        for _ in range(5):
            server.run(test)
            [pid] = server.zygote_pids()
            os.kill(pid, signal.SIGKILL)
            await_that(lambda: not is_alive(pid), "its end")
        results = server.run(test)
        assert results.statuses() == {test: "success"}


def test_zygote_that_always_dies():
    """A warm process that does not stay alive is given up after a bounded number of starts, and says why"""
    with Folder() as folder, faults(folder) as server:
        folder.make_gate("bystander")
        test = FAULTS + "Leaves.Nothing"
        server.run(test)
        run = server.ask_run(named("All/Bystander.Waits/0"))
        killed = set()

        def done(so_far):
            return {"msg": "Done", "nonce": run} in so_far.messages

        def kill():
            for pid in [pid for pid in server.zygote_pids() if pid not in killed]:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)
            return done(server.collector)

        await_that(kill, "Done")
        result = server.collector.of(FAULTS + "All/Bystander.Waits/0")
        assert result.status == "fail" and "warm process" in result.text("traceback"), result
        assert len(killed) < 30, killed
        assert test in server.list()


def test_stopped_parent():
    """A test that stops its warm process does not stop the others"""
    with Folder() as folder, faults(folder, "--jobs", "2") as server:
        others = named(*(f"All/Quick.Passes/{n}" for n in range(20)))
        server.run(FAULTS + "Stops.ItsParent", *others)
        check_statuses(server, {test: "success" for test in others} | {FAULTS + "Stops.ItsParent": "success"})
        [pid] = set(map(int, folder.lines("stopped")))
        assert state_of(pid) not in ("T", "t", None)


def test_suite_set_up_once():
    """A suite's set-up and tear-down run once, in one process, and each test finds a pristine copy"""
    with Folder() as folder, faults(folder, "--jobs", "2") as server:
        folder.make_gate("bystander")
        folder.open_gate("bystander")
        tests = named("Expensive.One", "Expensive.Two", "Expensive.Waits")
        server.run(*tests)
        check_statuses(server, {test: "success" for test in tests})
        assert len(folder.lines("set-ups")) == 1
        assert folder.lines("set-ups") == folder.lines("tear-downs")
        server.run(*named("Expensive.One", "Expensive.Two"))
        assert len(folder.lines("set-ups")) == 2 and folder.lines("set-ups") == folder.lines("tear-downs")
        assert server.goodbye() == 0


def test_suite_shared_by_runs():
    """Runs in flight together share a suite's set-up"""
    with Folder() as folder, faults(folder, "--jobs", "2") as server:
        folder.make_gate("bystander")
        first = server.ask_run(named("Expensive.Waits"))
        folder.await_lines("bystanders")
        second = server.ask_run(named("Expensive.One", "Expensive.Two"))
        third = server.ask_run(named("Expensive.Waits"))
        server.until_done(second)
        folder.open_gate("bystander", 2)
        server.until_done(first, third)
        assert len(folder.lines("set-ups")) == 1 and len(folder.lines("tear-downs")) == 1
        check_statuses(server, {test: "success" for test in named("Expensive.One", "Expensive.Two", "Expensive.Waits")})


def test_suite_killed():
    """A test that kills its suite's process fails, the suite is set up again, and the others pass"""
    with Folder() as folder, faults(folder, "--jobs", "3") as server:
        folder.make_gate("bystander")
        run = server.ask_run(named("Expensive.Waits", "All/Bystander.Waits/0"))
        folder.await_lines("bystanders", 2)
        kill = server.ask_run(named("Expensive.KillsItsParent", "Expensive.One"))
        folder.open_gate("bystander", 8)
        server.until_done(run, kill)
        check_statuses(server, dict.fromkeys(named("Expensive.Waits", "All/Bystander.Waits/0", "Expensive.One"), "success"))
        result = server.collector.of(FAULTS + "Expensive.KillsItsParent")
        assert result.status == "fail", result
        assert "process of the test's suite was killed by signal 9 (SIGKILL) while this test ran, alone" in \
            result.text("traceback"), result


def test_suite_killed_once():
    """Lost once with its suite's process, a test runs again, and passes"""
    with Folder() as folder, faults(folder) as server:
        result = server.run(FAULTS + "Expensive.KillsItsParentOnce").of(FAULTS + "Expensive.KillsItsParentOnce")
        assert result.status == "success" and "was run once more" in result.text("rerun"), result
        assert len(folder.lines("set-ups")) == 2


def test_suite_stopped():
    """A test that stops its suite's process does not stop the others"""
    with Folder() as folder, faults(folder, "--jobs", "1") as server:
        tests = named("Expensive.StopsItsParent", "Expensive.One", "Expensive.LeavesDaemon", "Expensive.Two")
        server.run(*tests)
        check_statuses(server, dict.fromkeys(tests, "success"))


def test_set_up_kills_parent():
    """A suite whose set-up kills the warm process: its tests fail, all others pass"""
    with Folder() as folder, faults(folder, "--jobs", "4") as server:
        folder.make_gate("bystander")
        folder.open_gate("bystander", 8)
        killers = named("KillingSetUp.One", "KillingSetUp.Two", "KillingSetUp.Three")
        others = [*BYSTANDERS, *named(*(f"All/Quick.Passes/{n}" for n in range(20)), "Expensive.One")]
        server.run(*others[:10], *killers, *others[10:])
        check_statuses(server, dict.fromkeys(killers, "fail") | dict.fromkeys(others, "success"))
        for test in killers:
            assert "warm process" in server.collector.of(test).text("traceback"), server.state()
        assert len(folder.lines("killers")) <= 3


def test_set_ups_that_fail():
    """A suite whose set-up fails, crashes, exits or hangs: each of its tests fails with that cause"""
    causes = {
        "FailingSuite.NeverRuns": "in SetUpTestSuite",
        "FailingSuite.NeverRunsEither": "in SetUpTestSuite",
        "CrashingSuite.NeverRuns": "signal 6 (SIGABRT)",
        "CrashingSuite.NeverRunsEither": "about to crash",
        "ExitingSuite.NeverRuns": "exited with status 0",
        "HangingSuite.NeverRuns": "time limit of 5 s",
    }
    name = "behaviours_googletest."
    with Server(programs["behaviours_googletest"], options=("--timeout", "5", "--jobs", "4")) as server:
        results = server.run(*(name + test for test in causes), name + "Verdict.Passes")
        for test, cause in causes.items():
            result = results.of(name + test)
            assert result.status == "fail" and cause in result.text("traceback"), result
            assert result.started == 0 and "the body ran" not in result.text("stdout"), result
        assert results.of(name + "Verdict.Passes").status == "success"


def test_threads_of_a_set_up():
    """A suite whose set-up starts threads cannot be forked from: its tests fail with that cause"""
    with Folder() as folder, faults(folder) as server:
        result = server.run(FAULTS + "ThreadingSetUp.Passes").of(FAULTS + "ThreadingSetUp.Passes")
        assert result.status == "fail" and "threads" in result.text("traceback"), result


def test_tear_downs_that_fail():
    """A suite's tear-down that fails, crashes or hangs is a result of its own"""
    name = "behaviours_googletest."
    with Server(programs["behaviours_googletest"], options=("--timeout", "60")) as server:
        tests = [name + test for test in ("SuiteTearDownFails.Passes", "SuiteTearDownFails.PassesToo",
                                          "SuiteTearDownCrashes.Passes")]
        results = server.run(*tests)
        assert [results.of(test).status for test in tests] == ["success"] * 3
        fails = results.of(name + "SuiteTearDownFails.teardown")
        crashes = results.of(name + "SuiteTearDownCrashes.teardown")
        assert fails.status == "fail" and "in TearDownTestSuite" in fails.text("traceback"), fails
        assert crashes.status == "fail" and "signal 6 (SIGABRT)" in crashes.text("traceback"), crashes
    with Folder() as folder, faults(folder, "--timeout", "5") as server:
        results = server.run(FAULTS + "HangingTearDown.Passes")
        assert results.of(FAULTS + "HangingTearDown.Passes").status == "success"
        hangs = results.of(FAULTS + "HangingTearDown.teardown")
        assert hangs.status == "fail" and "time limit of 5 s" in hangs.text("traceback"), hangs


def test_exec_mode():
    """A program that starts threads is started anew for each test; crashes, limits and leftovers are the same"""
    with Server(programs["threads_at_start"], options=("--jobs", "3", "--timeout", "30")) as server:
        ids = server.list()
        results = server.run(*ids)
        assert ids and set(results.statuses()) == set(ids) and all(results.statuses().values()), server.state()
        assert "started anew for each of its tests" in server.stderr()
        assert server.goodbye() == 0


def test_exec_mode_faults():
    """Such a program's tests are as isolated as any: crashes, limits, leftovers, output"""
    expected = {
        "Ignores.Term": ("fail", "traceback", "time limit of 8 s"),
        "Stops.Itself": ("fail", "traceback", "time limit of 8 s"),
        "Leaves.Daemon": ("success", "processes", "left process"),
        "Leaves.DaemonWithoutEnvironment": ("success", None, None),  # cannot be told from another test's
        "Leaves.Family": ("success", "processes", "left process"),
        "Output.Prints1Megabyte": ("success", "stdout", "xxxx"),
        "Expensive.One": ("success", None, None),
        "Expensive.Two": ("success", None, None),
        "All/Quick.Passes/7": ("success", None, None),
    }
    with Folder() as folder, faults(folder, "--env", "FAULTS_THREAD=1", "--timeout", "8", "--grace", "0.5",
                                    "--jobs", "3") as server:
        results = server.run(*named(*expected))
        for test, (status, name, text) in expected.items():
            result = results.of(FAULTS + test)
            assert result.status == status and (name is None or text in result.text(name)), result
        pids = folder.lines("daemons") + folder.lines("ignoring")
        assert len(pids) == 33
        await_that(lambda: not [pid for pid in pids if is_alive(int(pid))], "their end")
        assert len(folder.lines("set-ups")) == 2
        assert server.goodbye() == 0


def test_fork_that_returns_from_set_up():
    """A fork that comes back from the program's or a suite's set-up disturbs no test, and is gone in the end"""
    tests = named("ForkingSetUp.One", "ForkingSetUp.Two", *(f"All/Quick.Passes/{n}" for n in range(20)))
    with Folder() as folder, faults(folder, "--env", "FAULTS_FORK=1", "--jobs", "3") as server:
        server.run(*tests)
        check_statuses(server, dict.fromkeys(tests, "success"))
        assert server.goodbye() == 0
        assert folder.lines("daemons") and not [pid for pid in folder.lines("daemons") if is_alive(int(pid))]


def test_descriptors_exhausted():
    """Where the server has no descriptors left, the tests that cannot be started fail with that cause"""
    import resource
    tests = named(*(f"All/Bystander.Waits/{n}" for n in range(90)))
    few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (210, 210))
    with Folder() as folder:
        folder.make_gate("bystander")
        server = Server(programs["faults"], options=("--jobs", "90", *folder.options), preexec_fn=few)
        with server:
            server.list()
            run = server.ask_run(tests)
            server.until(lambda so_far: "fail" in so_far.statuses().values(), "a test that cannot be started")
            folder.open_gate("bystander", 90)
            server.until_done(run)
            failed = [server.collector.of(test) for test, status in server.collector.statuses().items()
                      if status != "success"]
            assert 0 < len(failed) < 90, failed
            assert all("Too many open files; raise `ulimit -n`" in result.text("traceback") for result in failed), failed
            server.run(FAULTS + "Leaves.Nothing")
            check_statuses(server, {FAULTS + "Leaves.Nothing": "success"})
            assert server.goodbye() == 0


def test_everything_at_once():
    """Nearly every test of the program at once, killers and all, twice: one result each, and nothing left behind"""
    endless = ("Forever", "Ignores", "Heeds", "Stops.Itself", "HangingTearDown")
    with Folder() as folder, faults(folder, "--jobs", "12", "--output-limit", "1") as server:
        gates = ("bystander", "output", "kill", "daemon")
        for gate in gates:
            folder.make_gate(gate)
            folder.open_gate(gate, 1000)
        server.keep_packets = False
        ids = [test for test in server.list() if not any(name in test for name in endless)]
        server.until_done(server.ask_run(ids), server.ask_run(ids))
        by_id = {}
        for (test, _), results in server.collector.results.items():
            by_id.setdefault(test, []).extend(result.status for result in results)
        assert {test: len(statuses) for test, statuses in by_id.items() if not test.endswith(".teardown")} == \
            dict.fromkeys(ids, 2)
        assert not [test for test, statuses in by_id.items() if None in statuses], by_id
        quick = [status for test, statuses in by_id.items() if "Quick" in test for status in statuses]
        assert set(quick) == {"success"}, quick
        assert server.goodbye() == 0
        for pid in folder.lines("daemons"):
            assert not is_alive(int(pid))


def test_wrapped():
    """A program behind a shell that does not get out of the way"""
    with Folder() as folder:
        script = os.path.join(folder.path, "wrapped")
        with open(script, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\n{programs['faults']} \"$@\"\nexit $?\n")
        os.chmod(script, 0o755)
        with Server(script, options=("--jobs", "2", *folder.options)) as server:
            tests = ["wrapped.Kills.ItsParentToo", "wrapped.Leaves.Daemon", "wrapped.Expensive.One",
                     "wrapped.All/Quick.Passes/1"]
            server.run(*tests)
            check_statuses(server, dict.fromkeys(tests, "success") | {tests[0]: "fail"})
            assert server.goodbye() == 0


def test_global_set_up_fails():
    """Where the program's global set-up fails, each test fails with that cause"""
    with Server(programs["set_up_fails"]) as server:
        ids = server.list()
        results = server.run()
        assert ids and set(results.statuses()) == set(ids), server.state()
        for test in ids:
            result = results.of(test)
            assert result.status == "fail" and "global set-up failed" in result.text("traceback"), result


if __name__ == "__main__":
    sys.exit(e2e.main())
