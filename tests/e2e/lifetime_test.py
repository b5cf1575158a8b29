#!/usr/bin/python3
"""The end of a session, however it comes: the exit status, and no process left behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, children_of, encode_message, is_alive, signal_all

HELLO = encode_message({"msg": "Hello", "max": 1, "min": 1})
GOODBYE = encode_message({"msg": "Goodbye"})
BUSY = ["faults.All/Bystander.Waits/0", "faults.Expensive.Waits", "faults.Leaves.DaemonAndWaits", "faults.Ignores.Term"]


def busy(folder):
    """A server with tests in flight: one plain, one in a suite, one with a daemon, one that ignores TERM."""
    folder.make_gate("bystander")
    folder.make_gate("daemon")
    server = Server(programs["faults"], options=("--jobs", "8", *folder.options))
    server.ask_run(BUSY)
    folder.await_lines("bystanders", 2)
    folder.await_lines("daemons")
    folder.await_lines("ignoring")
    server.until(lambda so_far: len(so_far.results) == 4, "four beginnings")
    return server


def check_nothing_left(server, folder):
    """Nothing that carries the session's mark, and nothing that told its pid."""
    assert not server.wait_for_no_process()
    for file in ("bystanders", "daemons", "ignoring", "set-ups"):
        for pid in folder.lines(file):
            await_that(lambda: not is_alive(int(pid)), f"the end of {pid}")


def test_goodbye():
    """Goodbye while idle: exit status 0, and nothing further is sent"""
    with Folder() as folder, Server(programs["faults"], options=folder.options) as server:
        server.list()
        packets = len(server.collector.packets)
        assert server.goodbye() == 0
        check_nothing_left(server, folder)
        assert len(server.collector.packets) == packets


def test_goodbye_first():
    """Goodbye as the first word, before the programs are loaded"""
    with Server(programs["hangs_at_load"], hello=False) as server:
        server.send({"msg": "Goodbye"})
        assert server.wait() == 0
        assert not server.collector.packets


def test_goodbye_with_work():
    """Goodbye with tests in flight: they are killed, no result follows, exit status 0"""
    with Folder() as folder, busy(folder) as server:
        assert server.goodbye() == 0
        check_nothing_left(server, folder)
        assert not any(server.collector.statuses().values()), server.state()
        assert not [message for message in server.collector.messages if message["msg"] == "Done"]


def test_end_of_file():
    """End of file without Goodbye: the same, exit status 1"""
    with Folder() as folder, busy(folder) as server:
        server.process.stdin.close()
        assert server.wait() == 1
        check_nothing_left(server, folder)
        assert not any(server.collector.statuses().values()), server.state()
    with Folder() as folder, Server(programs["faults"], options=folder.options) as server:
        server.list()
        server.process.stdin.close()
        assert server.wait() == 1


def test_client_dies():
    """The client is gone altogether, in the middle of results"""
    with Folder() as folder:
        server = Server(programs["faults"], options=("--jobs", "8", *folder.options), read=False)
        with server:
            server.ask_run()
            server.process.stdout.read(100)
            server.process.stdout.close()
            assert server.wait() == 1
            check_nothing_left(server, folder)


def test_signals():
    """TERM, INT and HUP to the process that was started: everything ends, exit status 128 and the signal"""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Folder() as folder, busy(folder) as server:
            os.kill(server.pid, number)
            assert server.wait() in (128 + number, -number), server.process.returncode
            check_nothing_left(server, folder)


def test_signals_at_once():
    """The same, before the server has said a word"""
    for _ in range(20):
        with Server(programs["faults"], hello=False) as server:
            os.kill(server.pid, signal.SIGTERM)
            assert server.wait() in (143, -15), server.process.returncode


def test_keeper_killed():
    """The process that was started is killed: nothing is left"""
    with Folder() as folder, busy(folder) as server:
        os.kill(server.pid, signal.SIGKILL)
        check_nothing_left(server, folder)


def test_server_killed():
    """The server under it is killed: nothing is left, and the exit status says so"""
    with Folder() as folder, busy(folder) as server:
        os.kill(server.server_pid(), signal.SIGKILL)
        assert server.wait() == 137
        check_nothing_left(server, folder)


def test_killed_at_any_moment():
    """Keeper, server or warm process killed at forty moments of a session: nothing is left"""
    tests = [f"faults.All/Quick.Passes/{number}" for number in range(30)]
    tests += ["faults.Expensive.One", "faults.Leaves.Daemon", "faults.Leaves.Family", "faults.Expensive.LeavesDaemon"]
    tests += tests

    def victims(server, kind):
        if kind == "keeper":
            return [server.pid]
        servers = children_of(server.pid)
        return servers if kind == "server" else [pid for one in servers for pid in children_of(one)]

    for moment in range(40):
        kind = ("keeper", "server", "keeper", "server", "zygote")[moment % 5]
        with Folder() as folder, Server(programs["faults"], options=("--jobs", "3", *folder.options)) as server:
            if moment >= 5:
                run = server.ask_run(tests)
                packets = (moment - 5) * 4
                server.until(lambda so_far: len(so_far.packets) >= packets, "the moment")
            signal_all(victims(server, kind), signal.SIGKILL)
            if kind == "zygote":
                if moment >= 5:
                    server.until_done(run)
                assert server.goodbye() == 0
            check_nothing_left(server, folder)


def test_killed_while_loading():
    """The same while programs are loaded"""
    for victim in (lambda server: server.pid, lambda server: server.server_pid()):
        with Server(programs["hangs_at_load"], programs["faults"]) as server:
            server.until(lambda so_far: so_far.messages, "Hello")
            await_that(lambda: len(server.zygote_pids()) == 2, "two programs")
            os.kill(victim(server), signal.SIGKILL)
            assert not server.wait_for_no_process()


def test_stdin_from_a_file():
    """A session whose stdin is a regular file: its end is the end"""
    for last, status in ((GOODBYE, 0), (b"", 1)):
        with tempfile.TemporaryFile() as script:
            script.write(HELLO + last)
            script.seek(0)
            with Server(programs["faults"], stdin=script) as server:
                assert server.wait() == status
                server.finish_reading()
                assert server.collector.messages == [{"msg": "Hello", "max": 1, "min": 1}]


def test_stdout_to_a_file():
    """A session whose stdout is a regular file"""
    with tempfile.TemporaryFile() as out, Folder() as folder:
        with Server(programs["faults"], options=folder.options, stdout=out) as server:
            server.ask_run([f"faults.All/Quick.Passes/{number}" for number in range(50)])

            def done():
                # Opened again: the position in `out` is the server's too.
                with open(f"/proc/self/fd/{out.fileno()}", "rb") as written:
                    return b'"Done"' in written.read()

            await_that(done, "Done in the file")
            assert server.goodbye() == 0
        out.seek(0)
        server.process.stdout = out
        server._read()
        assert list(server.collector.statuses().values()) == ["success"] * 50
        server.process.stdout = None


def test_full_disk():
    """A stdout that cannot be written: the session ends, exit status 1, and nothing is left"""
    with open("/dev/full", "wb") as full, Server(programs["faults"], stdout=full) as server:
        assert server.wait() == 1
        assert "does not read any more" in server.stderr()


def test_closed_descriptors():
    """A server that is started without stdin, stdout or stderr ends, without damage to anything"""
    for closed, status in (((0,), 1), ((1,), 0), ((2,), 0), ((0, 1, 2), 1)):
        with tempfile.TemporaryFile() as out:
            command = f"exec {Server.hearth} serve {programs['faults']} " + " ".join(f"{fd}<&-" for fd in closed)
            done = subprocess.run(["/bin/sh", "-c", command], input=HELLO + GOODBYE, stdout=out, stderr=out, timeout=300)
            assert done.returncode == status, (closed, done.returncode)


def test_channel():
    """HEARTH_CHANNEL_FD: the session is on that socket, and on nothing else"""
    ours, theirs = socket.socketpair()
    with ours:
        environment = {**os.environ, "HEARTH_CHANNEL_FD": str(theirs.fileno())}
        process = subprocess.Popen([Server.hearth, "serve", programs["faults"]], env=environment, stdin=theirs.fileno(),
                                   stdout=subprocess.PIPE, pass_fds=[theirs.fileno()])
        theirs.close()
        ours.sendall(HELLO + GOODBYE)
        ours.settimeout(60)
        received = b"".join(iter(lambda: ours.recv(65536), b""))  # until nobody holds the other end
        assert process.communicate(timeout=300)[0] == b"" and process.returncode == 0
        assert b'"msg"' in received and b"Hello" in received, received


def test_channel_that_is_none():
    """A HEARTH_CHANNEL_FD that is no socket is said to be none"""
    for value in ("", "x", "-1", "77", "0", "99999999999"):
        done = subprocess.run([Server.hearth, "serve", programs["faults"]], env={**os.environ, "HEARTH_CHANNEL_FD": value},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=300)
        assert done.returncode == 2 and b"HEARTH_CHANNEL_FD" in done.stderr and done.stdout == b"", done


def test_ignored_and_blocked_signals():
    """A parent that ignores SIGCHLD or blocks signals leaves the server as it should be, and the tests as by hand"""
    def before():
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())

    with Folder() as folder, Server(programs["faults"], options=folder.options, preexec_fn=before) as server:
        results = server.run("faults.Leaves.Daemon", "faults.Prints.ItsLimits")
        assert results.of("faults.Leaves.Daemon").status == "success"
        lines = results.of("faults.Prints.ItsLimits").text("stdout")
        for number in (signal.SIGTERM, signal.SIGUSR1):
            assert f"blocked {int(number)}\n" in lines, lines
        assert f"ignored {int(signal.SIGCHLD)}\n" in lines, lines
        os.kill(server.pid, signal.SIGTERM)
        assert server.wait() in (143, -15)


def test_global_tear_down():
    """The program's own tear-down runs at Goodbye; one that fails is told on stderr"""
    with Server(programs["tear_down_fails"]) as server:
        server.run()
        assert server.goodbye() == 0
        assert "global tear-down failed" in server.stderr(), server.stderr()


if __name__ == "__main__":
    sys.exit(e2e.main())
