#!/usr/bin/python3
"""SIGTSTP and SIGCONT: tests, what they started and their clocks stand still, and go on."""

import os
import signal
import sys
import time

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, is_alive, state_of

GATES = ("bystander", "daemon")
BUSY = ["faults.All/Bystander.Waits/0", "faults.Expensive.Waits", "faults.Leaves.DaemonAndWaits"]
LIMIT = 6  # seconds: what a test may take, and less than it is suspended for


def busy(folder, *options, **popen):
    """A server with tests at gates: one plain, one in a suite, one with a daemon."""
    for gate in GATES:
        folder.make_gate(gate)
    server = Server(programs["faults"], options=("--jobs", "8", *options, *folder.options), **popen)
    server.nonce = server.ask_run(BUSY)
    server.waiting = [int(pid) for pid in
                      folder.await_lines("bystanders", 2) + folder.await_lines("daemons")]
    server.until(lambda so_far: len(so_far.results) == 3, "three beginnings")
    return server


def open_gates(folder):
    folder.open_gate("bystander", 2)
    folder.open_gate("daemon")


def suspend(server, pid=None):
    """Returns when everything below the server stands still."""
    os.kill(pid or server.pid, signal.SIGTSTP)
    await_that(lambda: "hearth: suspended" in server.stderr(), "the suspension")


def states(server):
    """Of all processes but the server's own two."""
    own = (server.pid, server.server_pid())
    return {pid: state_of(pid) for pid in server.descendants() if pid not in own}


def all_stopped(server):
    return set(states(server).values()) == {"T"}


def check_results(server):
    results = server.until_done(server.nonce)
    assert {results.of(test_id).status for test_id in BUSY} == {"success"}, server.state()


def test_everything_stops():
    """Tests, suites' and programs' processes, and daemons stop, and go on"""
    with Folder() as folder, busy(folder) as server:
        suspend(server)
        assert all_stopped(server), states(server)
        assert {state_of(pid) for pid in server.waiting} == {"T"}, server.waiting
        open_gates(folder)
        os.kill(server.pid, signal.SIGCONT)
        check_results(server)
        assert "is told to go on" not in server.stderr(), server.stderr()


def test_nothing_is_answered():
    """What is asked for meanwhile waits; what had been asked for does not start"""
    with Folder() as folder, busy(folder) as server:
        suspend(server)
        nonce = server.ask_list(BUSY)
        later = server.ask_run(["faults.All/Quick.Passes/1"])
        packets = len(server.collector.packets)
        open_gates(folder)
        assert all_stopped(server), states(server)
        assert len(server.collector.packets) == packets, server.state()
        os.kill(server.pid, signal.SIGCONT)
        server.until_done(nonce, later)
        check_results(server)


def test_clocks_stop():
    """A suspension that is longer than the time limit fails no test, and what ran into it still does"""
    with Folder() as folder, busy(folder, "--timeout", str(LIMIT), "--grace", "0.1") as server:
        hangs = server.ask_run(["faults.Ignores.Term"])
        folder.await_lines("ignoring")
        begun = time.monotonic()
        suspend(server)
        await_that(lambda: time.monotonic() > begun + LIMIT + 1, "the end of a long suspension")
        os.kill(server.pid, signal.SIGCONT)
        open_gates(folder)
        check_results(server)
        results = server.until_done(hangs)
        assert f"time limit of {LIMIT} s" in results.of("faults.Ignores.Term").text("traceback"), server.state()


def test_loading():
    """A program that loads is suspended too"""
    limit = 3
    begun = time.monotonic()
    with Server(programs["hangs_at_load"], options=("--load-timeout", str(limit))) as server:
        (pid,) = await_that(server.zygote_pids, "the program's start")
        suspend(server)
        suspended = time.monotonic()
        assert state_of(pid) == "T"
        await_that(lambda: time.monotonic() > suspended + limit + 1, "the end of a long suspension")
        suspended = time.monotonic() - suspended
        os.kill(server.pid, signal.SIGCONT)
        assert server.run("hangs_at_load.load").of("hangs_at_load.load").status == "fail"
        assert time.monotonic() - begun - suspended >= limit, "the suspension counts"


def test_to_the_group():
    """Both signals to the whole group, as a terminal sends them, several times"""
    with Folder() as folder, busy(folder, process_group=0) as server:
        group = server.pid
        for number in range(1, 4):
            os.killpg(group, signal.SIGTSTP)
            await_that(lambda: server.stderr().count("hearth: suspended") == number, "a suspension")
            assert all_stopped(server), states(server)
            os.killpg(group, signal.SIGCONT)
            await_that(lambda: server.stderr().count("hearth: goes on") == number, "going on")
        open_gates(folder)
        check_results(server)


def test_to_the_server_alone():
    """Both signals to the process that the keeper keeps"""
    with Folder() as folder, busy(folder) as server:
        suspend(server, server.server_pid())
        open_gates(folder)
        assert all_stopped(server), states(server)
        os.kill(server.server_pid(), signal.SIGCONT)
        check_results(server)


def test_what_stopped_itself():
    """A test that stops itself is not set going by the way"""
    with Folder() as folder, busy(folder) as server:
        itself = server.ask_run(["faults.Stops.Itself"])
        server.until(lambda so_far: len(so_far.results) == 4, "the beginning")
        known = set(server.waiting)
        # Its own stop; the zygote of faults, and of its suite, run on.
        stopped = await_that(lambda: [pid for pid, state in states(server).items() if state == "T"], "its stop")
        assert len(stopped) == 1 and not known & set(stopped), (stopped, known)
        suspend(server)
        open_gates(folder)
        os.kill(server.pid, signal.SIGCONT)
        check_results(server)
        assert state_of(stopped[0]) == "T", "it goes on"
        os.kill(stopped[0], signal.SIGCONT)
        assert server.until_done(itself).of("faults.Stops.Itself").status == "success", server.state()


def test_continued_at_once():
    """SIGCONT right behind SIGTSTP: nothing stands still for good"""
    with Folder() as folder, busy(folder) as server:
        for _ in range(200):
            os.kill(server.pid, signal.SIGTSTP)
            os.kill(server.pid, signal.SIGCONT)
        open_gates(folder)
        check_results(server)


def test_shared_process():
    """Tests in one process are suspended like others"""
    with Folder() as folder:
        folder.make_gate("bystander")
        tests = ["faults.All/Bystander.Waits/0", "faults.All/Quick.Passes/0"]
        with Server(programs["faults"], options=("--isolation", "none", *folder.options)) as server:
            server.nonce = server.ask_run(tests)
            (pid,) = folder.await_lines("bystanders")
            suspend(server)
            assert state_of(int(pid)) == "T" and all_stopped(server), states(server)
            folder.open_gate("bystander")
            os.kill(server.pid, signal.SIGCONT)
            results = server.until_done(server.nonce)
            assert set(results.statuses().values()) == {"success"}, server.state()


def check_gone(server):
    assert not server.wait_for_no_process()
    for pid in server.waiting:
        await_that(lambda: not is_alive(pid), f"the end of {pid}")


def test_end_while_suspended():
    """Signals, a client that leaves, a keeper or a server that is killed: nothing is left"""
    def term(server):
        os.kill(server.pid, signal.SIGTERM)

    def client_leaves(server):
        server.process.stdin.close()

    def kill_keeper(server):
        os.kill(server.pid, signal.SIGKILL)

    def kill_server(server):
        os.kill(server.server_pid(), signal.SIGKILL)

    for end in (term, client_leaves, kill_keeper, kill_server):
        with Folder() as folder, busy(folder) as server:
            suspend(server)
            end(server)
            assert server.wait() != 0
            check_gone(server)


if __name__ == "__main__":
    sys.exit(e2e.main())
