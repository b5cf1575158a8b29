#!/usr/bin/python3
"""Servers that stay: who finds them, who is let in, what becomes of clients that go, and how they end."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

import e2e
from e2e import Folder, programs
from hearth_client import DEADLINE, RPC_ID, Server, await_that, encode_message, is_alive

from resident import GOODBYE, HELLO, Resident, read_all

WAITS = [f"faults.All/Bystander.Waits/{n}" for n in range(4)]


@contextlib.contextmanager
def resident(*options, name="socket"):
    with Folder() as folder:
        address = f"unix:{folder.path}/run/{name}"
        with Resident(programs["faults"], address=address, options=(*options, *folder.options)) as server:
            server.gates = folder
            yield server


def path_of(server):
    return server.address.partition(":")[2]


def test_sessions():
    """Clients come and go, each with a session of its own; the warm program stays"""
    with resident() as server:
        pids = set()
        for _ in range(3):
            with server.client() as client:
                assert client.run(WAITS[0].replace("Bystander.Waits", "Quick.Passes")).statuses()
                assert client.goodbye() == 0
            pids.add(server.status()["programs"][0]["pid"])
        assert len(pids) == 1 and server.process.poll() is None
        path = path_of(server)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
        os.kill(server.process.pid, signal.SIGTERM)
        assert server.process.wait(DEADLINE) == 128 + signal.SIGTERM
        assert not os.path.exists(path)


def test_at_once():
    """Sessions run beside one another, and get their own results"""
    with resident("--jobs", "4") as server, contextlib.ExitStack() as stack:
        server.gates.make_gate("bystander")
        clients = [stack.enter_context(server.client()) for _ in range(4)]
        nonces = [client.ask_run([test]) for client, test in zip(clients, WAITS)]
        server.gates.await_lines("bystanders", 4)
        await_that(lambda: len(server.status()["running"]) == 4, "the server's word of it")
        status = server.status()
        assert sorted(test["id"] for test in status["running"]) == WAITS, status
        assert sorted(test["session"] for test in status["running"]) == [1, 2, 3, 4], status
        assert [session["left"] for session in status["sessions"]] == [1] * 4, status
        server.gates.open_gate("bystander", 4)
        for client, nonce, test in zip(clients, nonces, WAITS):
            assert client.until_done(nonce).statuses() == {test: "success"}
            assert client.goodbye() == 0


def test_same_test():
    """A test that two clients ask for runs once at a time, and for each"""
    with resident("--jobs", "4") as server, server.client() as one, server.client() as other:
        server.gates.make_gate("bystander")
        nonces = [client.ask_run(WAITS[:1]) for client in (one, other)]
        server.gates.await_lines("bystanders", 1)
        await_that(lambda: len(server.status()["running"]) == 1, "the server's word of it")
        server.gates.open_gate("bystander", 2)
        for client, nonce in zip((one, other), nonces):
            assert client.until_done(nonce).statuses() == {WAITS[0]: "success"}
            assert client.goodbye() == 0


def test_fair():
    """A client with very many tests in many Runs does not keep another waiting"""
    with resident("--jobs", "1") as server, server.client() as greedy, server.client() as modest:
        server.gates.make_gate("bystander")
        greedy.ask_run(WAITS[:1])
        server.gates.await_lines("bystanders", 1)
        quick = [f"faults.All/Quick.Passes/{n}" for n in range(20)]
        # Ten tests of the greedy one's can run before one of them waits, and keeps the only slot.
        greedy_nonces = [greedy.ask_run([test, WAITS[1]]) for test in quick[:10]]
        greedy.until_done(greedy.ask_list(quick[:1]))  # the server has them all
        nonce = modest.ask_run(quick[10:15])
        modest.until_done(modest.ask_list(quick[:1]))
        server.gates.open_gate("bystander")
        modest.until_done(nonce)
        server.gates.open_gate("bystander", 10)
        greedy.until_done(*greedy_nonces)
        assert modest.goodbye() == 0
        assert greedy.goodbye() == 0


def test_client_gone():
    """What a client that goes away had asked for is cancelled: what runs is killed, what waits does not start"""
    for how in "goodbye", "kill", "end of file":
        with resident("--jobs", "2") as server:
            server.gates.make_gate("bystander")
            with server.client() as gone:
                gone.ask_run(WAITS)
                gone.ask_run(["faults.Expensive.Waits", "faults.Expensive.One", "faults.Expensive.Two"])
                pids = [int(pid) for pid in server.gates.await_lines("bystanders", 2)]
                if how == "goodbye":
                    assert gone.goodbye() == 0
                elif how == "kill":
                    gone.process.kill()
                else:
                    gone.process.stdin.close()
                    gone.process.wait(DEADLINE)
                await_that(lambda: not [pid for pid in pids if is_alive(pid)], "the end of its tests")
                await_that(lambda: not server.status()["sessions"] and not server.status()["running"], "its end")
            with server.client() as client:
                statuses = client.run("faults.Expensive.One", "faults.All/Quick.Passes/0").statuses()
                assert set(statuses.values()) == {"success"}, statuses
                assert client.goodbye() == 0
            assert len(server.gates.lines("bystanders")) == 2


def test_client_gone_without_isolation():
    """So is what it had asked for in one process"""
    with resident("--isolation", "none") as server:
        server.gates.make_gate("bystander")
        with server.client() as gone:
            gone.ask_run([WAITS[0], "faults.All/Quick.Passes/0"])
            (pid,) = server.gates.await_lines("bystanders")
            gone.process.kill()
            await_that(lambda: not is_alive(int(pid)), "the end of its test")
        with server.client() as client:
            assert client.run("faults.All/Quick.Passes/1").statuses() == {"faults.All/Quick.Passes/1": "success"}
            assert client.goodbye() == 0


def test_one_server():
    """Of many that start at once, one serves; the others say so"""
    with Folder() as folder:
        address = f"unix:{folder.path}/run/socket"
        command = [Server.hearth, "serve", "--listen", address, programs["faults"]]
        started = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(8)]
        try:
            await_that(lambda: sum(process.poll() is None for process in started) == 1, "the end of all but one")
            for process in started:
                if process.poll() is not None:
                    assert process.returncode == 3 and b"another server listens" in process.stderr.read()
            (serving,) = [process for process in started if process.poll() is None]
            await_that(lambda: os.path.exists(f"{folder.path}/run/socket"), "the socket")
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(f"{folder.path}/run/socket")
        finally:
            for process in started:
                process.terminate()
                process.wait(DEADLINE)
                process.stderr.close()
        assert serving.returncode == 128 + signal.SIGTERM


def test_client_gone_in_tear_down():
    """A client that wants a suite which another one's Run tears down, and goes, does not take that Run's end along"""
    with resident("--jobs", "2") as server, server.client() as first:
        server.gates.make_gate("teardown")
        nonce = first.ask_run(["faults.WaitingTearDown.One"])
        server.gates.await_lines("tearing-down")
        with server.client() as second:
            second.ask_run(["faults.WaitingTearDown.Two", "faults.WaitingTearDown.Three"])
            second.until_done(second.ask_list([]))  # the server has it
            second.process.kill()
        await_that(lambda: len(server.status()["sessions"]) == 1, "the end of the second session")
        server.gates.open_gate("teardown", 2)
        assert first.until_done(nonce).statuses() == {"faults.WaitingTearDown.One": "success"}
        assert first.run("faults.WaitingTearDown.Two").of("faults.WaitingTearDown.Two").status == "success"
        assert first.goodbye() == 0


def test_end_beside_others():
    """A program's end waits for the Runs that came before it; later ones wait for it, and keep no suite from ending"""
    waits, one, two = (f"faults.Expensive.{name}" for name in ("Waits", "One", "Two"))
    with resident("--jobs", "4") as server, server.client() as first, server.client() as second, \
            server.client() as third:
        server.gates.make_gate("bystander")
        before = second.ask_run([waits])
        server.gates.await_lines("bystanders", 1)
        ends = first.ask_run([one], exit=None)
        first.until(lambda so_far: so_far.statuses().get(one) == "success", "the result of a test")
        first.until_done(first.ask_list([]))  # the server has come to the program's end
        after = third.ask_run([two])
        third.until_done(third.ask_list([]))
        pid = server.status()["programs"][0]["pid"]
        server.gates.open_gate("bystander")
        assert second.until_done(before).statuses() == {waits: "success"}
        assert first.until_done(ends).statuses() == {one: "success"}
        assert third.until_done(after).statuses() == {two: "success"}
        assert server.status()["programs"][0]["pid"] != pid
        assert len(server.gates.lines("set-ups")) == 2


def test_slow_set_up():
    """What waits for a suite's set-up takes no slots from others"""
    with resident("--jobs", "2") as server, server.client() as slow, server.client() as quick:
        server.gates.make_gate("setup")
        nonce = slow.ask_run([f"faults.WaitingSetUp.{name}" for name in ("One", "Two", "Three")])
        server.gates.await_lines("setting-up")
        tests = [f"faults.All/Quick.Passes/{n}" for n in range(5)]
        assert set(quick.run(*tests).statuses().values()) == {"success"}
        server.gates.open_gate("setup")
        assert set(slow.until_done(nonce).statuses().values()) == {"success"}
        assert slow.goodbye() == 0 and quick.goodbye() == 0


def test_killed_server():
    """A socket that a killed server left does not stop the next one; nothing else is left"""
    with Folder() as folder:
        def serving():
            return Resident(programs["faults"], address=f"unix:{folder.path}/run/socket", options=folder.options)

        for victim in "keeper", "server":
            with serving() as first:
                await_that(lambda: first.status()["programs"][0]["mode"] == "fork", "its program")
                status = first.status()
                os.kill(first.process.pid if victim == "keeper" else status["pid"], signal.SIGKILL)
                first.process.wait(DEADLINE)
                await_that(lambda: not is_alive(status["programs"][0]["pid"]), "the end of its program")
                await_that(lambda: not is_alive(status["pid"]), "its end")
                with serving() as second:
                    assert second.status()["pid"] != status["pid"]


def test_tcp():
    """On TCP who has no token is refused, and told so"""
    with Resident(programs["faults"], address="tcp:127.0.0.1:0") as server:
        assert stat.S_IMODE(os.stat(server.token_file()).st_mode) == 0o600
        with server.client() as client:
            assert client.list() and client.goodbye() == 0
        for preface in b"", b"hearth token " + b"0" * 64 + b"\n":
            with server.connect(preface) as connection:
                connection.sendall(HELLO)
                told = read_all(connection)
                assert b"The connection was refused" in told and RPC_ID.encode() in told, told
        await_that(lambda: server.log().count("was refused") == 2, "two lines in the log")
        assert server.token() not in server.log()


def test_other_folder():
    """A directory that others may enter is no place for a socket"""
    with Folder() as folder:
        os.chmod(folder.path, 0o755)
        done = subprocess.run([Server.hearth, "serve", "--listen", f"unix:{folder.path}/socket", programs["faults"]],
                              capture_output=True, timeout=DEADLINE, stdin=subprocess.DEVNULL)
        assert done.returncode == 2 and b"chmod 700" in done.stderr, done


def test_long_path():
    """A path may be longer than the name of a socket"""
    with resident(name="/".join(["d" * 100] * 3 + ["socket"])) as server, server.client() as client:
        assert client.list() and client.goodbye() == 0


def test_idle():
    """Without clients it ends after its time, and not while one is there"""
    with resident("--idle", "10") as server, server.connect() as here:
        here.sendall(HELLO)
        time.sleep(11)
        with server.client() as client:
            assert client.list() and client.goodbye() == 0
        here.close()
        with server.connect() as brief:  # comes and goes within one turn of the server's loop
            brief.sendall(HELLO + GOODBYE)
            assert b'"Hello"' in read_all(brief)
        assert server.process.wait(DEADLINE) == 0
        assert not os.path.exists(path_of(server))


def test_bad_input():
    """Garbage, silence, and peers that do not read disturb nobody else"""
    with resident() as server, contextlib.ExitStack() as stack:
        silent = [stack.enter_context(server.connect()) for _ in range(20)]
        deaf = stack.enter_context(server.connect())
        deaf.sendall(HELLO)
        for n in range(200):
            deaf.sendall(encode_message({"msg": "List", "nonce": f"{n}"}, 1))
        for garbage in b"\n" * 65536, b"hearth", b"hearth token x\n", os.urandom(65536), HELLO[:-3], b"GET / HTTP/1.1\r\n\r\n":
            with server.connect() as connection:
                connection.sendall(garbage)
        slow = stack.enter_context(server.connect())
        for byte in HELLO + GOODBYE:
            slow.sendall(bytes([byte]))
        assert b'"Hello"' in read_all(slow)
        with server.client() as client:
            assert client.list() and client.goodbye() == 0
        assert len(silent) == 20


def test_of_a_project():
    """hearth status and hearth attach without ADDRESS mean this project's server"""
    with tempfile.TemporaryDirectory() as folder:
        def hearth(*arguments, status=0, where=folder):
            done = subprocess.run([Server.hearth, *arguments], capture_output=True, text=True, timeout=300, cwd=where,
                                  stdin=subprocess.DEVNULL, env={**os.environ, "SOCKET": "run/socket"}, check=False)
            assert done.returncode == status, (arguments, done)
            return done.stdout + done.stderr

        def write(command):
            with open(os.path.join(folder, ".testr.conf"), "w", encoding="utf-8") as file:
                file.write(f"[DEFAULT]\nserver_command={command}\n")

        assert "there is no .testr.conf" in hearth("status", status=2)
        write(f"exec {Server.hearth} serve {programs['faults']}")
        assert "starts a server for each run" in hearth("status", status=2)
        write(f"exec {Server.hearth} attach --start --idle 1 unix:$SOCKET -- {programs['faults']}")
        hearth("status", status=1)
        assert "faults.Leaves.Nothing" in hearth("list")
        assert "faults " in hearth("status") and f"unix:{folder}/run/socket" in hearth("status", "-C", folder, where="/")
        joined = Server(command=[Server.hearth, "attach", "-C", folder], env={"SOCKET": "run/socket"})
        with joined as session:
            assert "faults.Leaves.Nothing" in session.list()
            assert session.goodbye() == 0
        assert "needs an ADDRESS" in hearth("attach", "--start", "--", "x", status=2)


if __name__ == "__main__":
    sys.exit(e2e.main())
