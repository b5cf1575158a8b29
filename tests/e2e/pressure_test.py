#!/usr/bin/python3
"""Clients that do not read, many commands at once, and what the server uses meanwhile."""

import os
import sys
import time

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, cpu_of, encode_message, memory_of


def await_rest(server):
    """Until the server has used no CPU to speak of for a while."""
    pid = server.server_pid()
    state = {"cpu": cpu_of(pid), "since": time.monotonic()}

    def rests():
        cpu = cpu_of(pid)
        if cpu - state["cpu"] > 0.02:
            state.update(cpu=cpu, since=time.monotonic())
        return time.monotonic() - state["since"] > 1

    await_that(rests, "the server's rest: it goes on computing")


def test_client_that_does_not_read():
    """A client that does not read: memory stays bounded, the server rests, and every result is there in the end"""
    tests = ["faults.Output.Prints1Megabyte"] * 60
    with Folder() as folder:
        server = Server(programs["faults"], options=("--jobs", "4", "--timeout", "120", *folder.options), read=False)
        with server:
            run = server.ask_run(tests)
            await_rest(server)
            memory = memory_of(server.server_pid())
            assert memory < 100 << 20, memory
            server.keep_packets = False
            server.read()
            server.until_done(run)
            statuses = [result.status for results in server.collector.results.values() for result in results]
            assert statuses == ["success"] * 60, server.state()
            sizes = {len(result.files["stdout"]) for results in server.collector.results.values() for result in results}
            assert sizes == {1_000_000}, sizes
            assert server.goodbye() == 0


def test_goodbye_of_one_that_does_not_read():
    """Such a client's Goodbye is heard"""
    with Folder() as folder:
        server = Server(programs["faults"], options=("--jobs", "4", *folder.options), read=False)
        with server:
            server.ask_run(["faults.Output.Prints1Megabyte"] * 60)
            await_rest(server)
            assert server.goodbye() == 0


def test_lists_of_one_that_does_not_read():
    """A client that goes on asking and does not read is not answered into memory"""
    with Folder() as folder:
        server = Server(programs["faults"], options=folder.options, read=False)
        with server:
            os.set_blocking(server.process.stdin.fileno(), False)
            message = encode_message({"msg": "List", "nonce": "n" * 1000})
            noise = encode_message({"msg": "Nonsense"})
            sent = 0
            quiet_since = time.monotonic()
            while time.monotonic() - quiet_since < 1 and sent < 400 << 20:
                try:
                    sent += os.write(server.process.stdin.fileno(), (message + noise) * 20)
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.01)
            assert sent < 400 << 20, "the server goes on taking commands"
            memory = memory_of(server.server_pid())
            assert memory < 300 << 20, memory
            await_rest(server)


def test_tests_beside_a_client_that_does_not_read():
    """A test does not run into its time limit because its client does not read"""
    with Folder() as folder:
        folder.make_gate("bystander")
        options = ("--jobs", "4", "--timeout", "120", *folder.options)
        server = Server(programs["faults"], options=options, read=False)
        with server:
            run = server.ask_run(["faults.Output.Prints40MegabytesOfOctets", "faults.Output.Prints1Megabyte"])
            await_rest(server)
            server.read()
            server.until_done(run)
            statuses = server.collector.statuses()
            assert set(statuses.values()) == {"success"} and len(statuses) == 2, server.state()
            octets = server.collector.of("faults.Output.Prints40MegabytesOfOctets")
            assert octets.mimes == {"stdout": "application/octet-stream"}, octets.mimes
            block = bytes(0xFF - (i * 31) % 251 for i in range(1 << 20))
            assert octets.files["stdout"].startswith(block * 16) and b"cut here" in octets.files["stdout"][-200:]
            assert server.goodbye() == 0


def test_idle():
    """A server with nothing to do, and one that waits for its tests, do next to nothing"""
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "4", *folder.options)) as server:
        server.list()
        await_rest(server)
        folder.make_gate("bystander")
        tests = [f"faults.All/Bystander.Waits/{number}" for number in range(4)]
        run = server.ask_run(tests)
        folder.await_lines("bystanders", 4)
        before = cpu_of(server.server_pid())
        started = time.monotonic()
        await_that(lambda: time.monotonic() - started > 2, "two seconds")
        assert cpu_of(server.server_pid()) - before < 1, "half a CPU and more, for four tests that wait"
        folder.open_gate("bystander", 4)
        server.until_done(run)


def test_many_commands():
    """A thousand Runs and Lists in flight"""
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "4", *folder.options)) as server:
        server.keep_packets = False
        test = "faults.Leaves.Nothing"
        nonces = []
        for _ in range(500):
            nonces += [server.ask_run([test, "nowhere"]), server.ask_list([test, "nowhere"])]
        server.until_done(*nonces)
        results = [result for results in server.collector.results.values() for result in results]
        assert len(results) == 1000 and sum(result.status == "success" for result in results) == 500
        assert len(server.collector.listed) == 500
        assert server.goodbye() == 0


def test_one_test_in_many_runs():
    """A test runs for one Run at a time, in each Run that asks for it"""
    test = "faults.All/Bystander.Waits/0"
    with Folder() as folder, Server(programs["faults"], options=("--jobs", "8", *folder.options)) as server:
        folder.make_gate("bystander")
        nonces = [server.ask_run([test]) for _ in range(5)]
        quick = server.ask_run(["faults.Leaves.Nothing"])
        server.until_done(quick)
        for number in range(1, 6):
            folder.await_lines("bystanders", number)
            assert sum(bool(one.started) for runs in server.collector.results.values() for one in runs
                       if one.id == test) <= number
            folder.open_gate("bystander")
        server.until_done(*nonces)
        assert len(folder.lines("bystanders")) == 5
        assert len([route for (known, route) in server.collector.results if known == test]) == 5


if __name__ == "__main__":
    sys.exit(e2e.main())
