#!/usr/bin/python3
"""hearth run, over good servers and odd ones: what is selected, repeated, retried, stopped, and what it exits with."""

import json
import os
import shutil
import signal
import subprocess
import sys

import e2e
from e2e import Folder, programs
from hearth_client import Server, await_that, children_of, is_alive, signal_all, state_of

HERE = os.path.dirname(os.path.abspath(__file__))
ODD = os.path.join(HERE, "programs", "odd_server.py")
PLAIN = ["orchestrated.Plain.One", "orchestrated.Plain.Two", "orchestrated.Plain.Fails", "orchestrated.Plain.Skips"]


class Run:
    """`hearth run` in a folder of its own, to its end."""

    def __init__(self, folder, *arguments, program=True, patterns=(), env=None):
        self.events = os.path.join(folder.path, "events.json")
        where = () if "-C" in arguments else ("-C", folder.path)
        command = [Server.hearth, "run", *where, "--json", self.events, *arguments]
        if program:
            command += [*folder.options, programs["orchestrated"]]
        if patterns:
            command += ["--", *patterns]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()

    def end(self, status):
        self.out, self.err = self.process.communicate(timeout=300)
        assert self.process.returncode == status, (self.process.returncode, self.out, self.err)
        return self

    def results(self):
        """(id, status) in the order in which they came."""
        with open(self.events, encoding="utf-8") as file:
            events = [json.loads(line) for line in file if line.endswith("\n")]  # the last may be half written
        return [(event["id"], event["status"]) for event in events if event["event"] == "result"]

    def statuses(self):
        return dict(self.results())


def run(folder, *arguments, status=0, **more):
    with Run(folder, *arguments, **more) as one:
        return one.end(status)


def odd(folder, way, *arguments, status):
    return run(folder, "--server", f"{sys.executable} {ODD} {way}", *arguments, status=status, program=False)


def test_exit_codes():
    """0 all passed, 1 failures, 2 usage, 4 nothing selected"""
    with Folder() as folder:
        run(folder, patterns=["Plain.(One|Two)$"])
        failed = run(folder, patterns=["Plain"], status=1)
        assert "as it should" in failed.out and "2 passed, 1 failed, 1 skipped" in failed.out, failed.out
        run(folder, "--partition", "4/3", status=2)
        nothing = run(folder, patterns=["NoSuchTest"], status=4)
        assert "nothing to run" in nothing.out, nothing.out


def test_options_reach_the_server():
    """A server's options count for a server that the project starts, more than those of its command; for others: told"""
    with Folder() as folder:
        misplaced = odd(folder, "good", "-j2", status=2)
        assert "--jobs" in misplaced.err and "server_command" in misplaced.err, misplaced.err
        odd(folder, "good", "--grace", "1", status=0)
        folder.make_gate("gate")
        folder.make_gate("done")  # and nobody comes
        serve = f"exec {Server.hearth} serve --timeout 1000 --jobs 7 --env FAULTS_DIR=/nowhere -- {programs['orchestrated']}"
        attach = f"{Server.hearth} attach --start --idle 1 unix:s/s -- --timeout 1000 {programs['orchestrated']}"
        for command in serve, attach:
            with open(os.path.join(folder.path, ".testr.conf"), "w", encoding="utf-8") as file:
                file.write(f"[DEFAULT]\nserver_command={command}\n")
            limited = run(folder, "--timeout", "0.5", *folder.options, program=False, patterns=["Waits.AtGate$", "Plain.One"],
                          status=1)
            assert limited.statuses() == {"orchestrated.Waits.AtGate": "fail", "orchestrated.Plain.One": "success"}
            assert "0.5 s" in limited.out, limited.out
        with open(os.path.join(folder.path, ".testr.conf"), "w", encoding="utf-8") as file:
            file.write(f"[DEFAULT]\nserver_command={serve}\n")
        listed = subprocess.run([Server.hearth, "list", "-C", folder.path, "--jobs", "2"], capture_output=True, text=True,
                                check=True)
        assert "orchestrated.Plain.One" in listed.stdout, listed


def test_failing():
    """--failing runs what failed the last time; --last-failed-first runs it first"""
    with Folder() as folder:
        run(folder, patterns=["Plain"], status=1)
        again = run(folder, "--failing", status=1)
        assert again.results() == [("orchestrated.Plain.Fails", "fail")]
        first = run(folder, "-j1", "--last-failed-first", patterns=["Plain"], status=1)
        assert first.results()[0] == ("orchestrated.Plain.Fails", "fail")
        assert len(first.results()) == 4


def test_order():
    """--shuffle with a seed gives that seed's order again; --load-list gives the list's"""
    with Folder() as folder:
        orders = []
        for seed in "1", "1", "2":
            shuffled = run(folder, "-j1", f"--shuffle={seed}", patterns=["Plain|State"], status=1)
            assert f"--shuffle={seed}" in shuffled.out
            orders.append([test_id for test_id, _ in shuffled.results()])
        assert orders[0] == orders[1] != orders[2] and sorted(orders[0]) == sorted(orders[2])
        ids = os.path.join(folder.path, "ids")
        with open(ids, "w", encoding="utf-8") as file:
            file.write("\n".join(reversed(PLAIN)) + "\n")
        listed = run(folder, "-j1", "--load-list", ids, "--listed-order", status=1)
        assert [test_id for test_id, _ in listed.results()] == list(reversed(PLAIN))


def test_partitions():
    """The parts of --partition have every test, once"""
    with Folder() as folder:
        run(folder, patterns=["Plain|State"], status=1)  # the history that all parts look at
        for kind in "hash:", "duration:":
            seen = []
            for part in 1, 2, 3:
                history = os.path.join(folder.path, f"{kind}{part}")
                shutil.copytree(os.path.join(folder.path, ".hearth"), os.path.join(history, ".hearth"))
                with Run(folder, "-C", history, "--partition", f"{kind}{part}/3", patterns=["Plain|State"]) as one:
                    one.process.wait()
                    assert one.process.returncode in (0, 1, 4)
                    seen += [test_id for test_id, _ in one.results()] if one.process.returncode != 4 else []
            assert len(seen) == len(set(seen)) == 7, (kind, seen)


def test_retries():
    """A pass after a failure is flaky, never a plain pass; a test that always fails is a failure"""
    with Folder() as folder:
        retried = run(folder, "--retries", "1", patterns=["Again.PassesTheSecondTime", "Plain.One"])
        assert "1 flaky" in retried.out and "1 passed" in retried.out, retried.out
        assert "FLAKY" in retried.out, retried.out
        failed = run(folder, "--retries", "2", patterns=["Plain.Fails"], status=1)
        assert failed.results() == [("orchestrated.Plain.Fails", "fail")] * 3, failed.results()


def test_repeat():
    """--repeat N runs everything N times; --until-failure until a test fails"""
    with Folder() as folder:
        repeated = run(folder, "--repeat", "3", patterns=["Plain.(One|Two)"])
        assert len(repeated.results()) == 6 and "6 passed" in repeated.out, repeated.out
        until = run(folder, "--until-failure", patterns=["Again.FailsTheThirdTime"], status=1)
        assert [status for _, status in until.results()] == ["success", "success", "fail"], until.results()


def test_fail_fast():
    """-x stops the run at the first failure, and the tests that did not run are no failures"""
    with Folder() as folder:
        folder.make_gate("gate")
        stopped = run(folder, "-x", "-j2", "--listed-order", patterns=["Plain.Fails", "Waits"], status=1)
        assert stopped.statuses() == {"orchestrated.Plain.Fails": "fail"}, stopped.results()
        assert "1 failed" in stopped.out, stopped.out


def test_isolated():
    """--isolated gives each test a server of its own"""
    with Folder() as folder:
        isolated = run(folder, "--isolated", "--servers", "2", patterns=["Plain"], status=1)
        assert len(isolated.results()) == 4
        # The one that would fail behind another in its process.
        run(folder, "--isolated", "--isolation=none", patterns=["State"])
        run(folder, "--isolation=none", "--listed-order", patterns=["State"], status=1)


def test_analyze_isolation():
    """--analyze-isolation names the earlier test that makes one fail, and no other"""
    with Folder() as folder:
        analyzed = run(folder, "--analyze-isolation", patterns=["State"], status=1)
        account = analyzed.out[analyzed.out.index("orchestrated.State.Second\n"):]
        assert "orchestrated.State.First" in account and "Between" not in account, analyzed.out
        alone = run(folder, "--analyze-isolation", patterns=["Plain.Fails"], status=1)
        assert "fails by itself" in alone.out, alone.out
        run(folder, "--analyze-isolation", patterns=["Plain.One"])


def servers_of(one):
    """The server processes of a run: keepers."""
    return [pid for pid in children_of(one.process.pid) if is_alive(pid)]


def test_lost_server():
    """A server that is killed: its tests run again on the next one, and pass"""
    with Folder() as folder:
        folder.make_gate("gate")
        with Run(folder, "-j2", patterns=["Waits", "Plain.One"]) as one:
            folder.await_lines("waiting", 2)
            signal_all(servers_of(one), signal.SIGKILL)
            folder.await_lines("waiting", 3)
            folder.open_gate("gate", 20)
            one.end(0)
            assert one.statuses() == {"orchestrated.Waits.AtGate": "success", "orchestrated.Waits.AtGateToo": "success",
                                      "orchestrated.Plain.One": "success"}, one.results()
            assert "starting it again" in one.out, one.out


def test_several_servers():
    """Several servers share the tests; the stream says which ran what"""
    with Folder() as folder:
        folder.make_gate("gate")
        stream = os.path.join(folder.path, "stream")
        with Run(folder, "--servers", "2", "-j1", "--subunit", stream, patterns=["Waits"]) as one:
            folder.await_lines("waiting", 2)  # both at once: on two servers, each with one job
            assert len(servers_of(one)) == 2
            folder.open_gate("gate", 2)
            one.end(0)
        with open(stream, "rb") as file:
            listed = subprocess.run(["subunit-2to1"], stdin=file, capture_output=True, check=True).stdout
        assert b"worker-0" in listed and b"worker-1" in listed, listed


def test_interrupt():
    """Ctrl-C ends the run in good order: exit 130, reports and history whole"""
    with Folder() as folder:
        folder.make_gate("gate")
        junit = os.path.join(folder.path, "junit.xml")
        with Run(folder, "-j3", "--junit", junit, "--listed-order", patterns=["Plain.One", "Waits"]) as one:
            folder.await_lines("waiting", 2)
            await_that(lambda: ("orchestrated.Plain.One", "success") in one.results(), "the first result")
            pids = servers_of(one)
            one.process.send_signal(signal.SIGINT)
            one.end(130)
            assert "Interrupted: 2 tests without a result" in one.out, one.out
            for pid in pids:
                assert not is_alive(pid)
        with open(junit, encoding="utf-8") as file:
            assert "Plain" in file.read()
        last = subprocess.run([Server.hearth, "last", "-C", folder.path], capture_output=True, text=True)
        assert "1 passed" in last.stdout, (last.stdout, last.stderr)


def test_interrupt_twice():
    """A second Ctrl-C kills a server that does not end"""
    with Folder() as folder:
        stubborn = f"trap '' TERM INT; {sys.executable} {ODD} silent & wait; wait"
        with Run(folder, "--start-timeout", "600", "--server", stubborn, program=False) as one:
            await_that(lambda: len(servers_of(one)) == 1, "the server")
            one.process.send_signal(signal.SIGINT)
            while "once more kills it" not in one.process.stdout.readline():
                assert one.process.poll() is None
            one.process.send_signal(signal.SIGINT)
            one.end(130)


def test_suspend():
    """Ctrl-Z stops hearth and the tests; SIGCONT lets all go on"""
    with Folder() as folder:
        folder.make_gate("gate")
        with Run(folder, "-j2", patterns=["Waits.AtGate$"]) as one:
            test_pid = int(folder.await_lines("waiting")[0])
            one.process.send_signal(signal.SIGTSTP)
            for pid in one.process.pid, test_pid:
                await_that(lambda: state_of(pid) == "T", f"{pid} to stop")
            one.process.send_signal(signal.SIGCONT)
            folder.open_gate("gate")
            one.end(0)


def test_what_runs():
    """SIGUSR1 tells what runs now"""
    with Folder() as folder:
        folder.make_gate("gate")
        with Run(folder, patterns=["Waits.AtGate$"]) as one:
            folder.await_lines("waiting")
            one.process.send_signal(signal.SIGUSR1)
            told = ""
            while "orchestrated.Waits.AtGate" not in told:
                line = one.process.stdout.readline()
                assert line, told
                told += line
            folder.open_gate("gate")
            one.end(0)


def test_garbage_first():
    """A server that prints a banner first is served all the same, and the banner is shown"""
    with Folder() as folder:
        ended = odd(folder, "garbage", status=0)
        assert "Welcome to odd!" in ended.out and "2 passed" in ended.out, ended.out


def test_no_hello():
    """A Hello that never comes, or a wrong one: exit 2, why, and what came instead"""
    with Folder() as folder:
        prompt = "printf 'Password for odd@server:'; exec sleep 1000000"  # a shell says it at once
        silent = run(folder, "--start-timeout", "3", "--server", prompt, status=2, program=False)
        assert "no Hello" in silent.err and "Password for odd@server:" in silent.err, silent.err
        missing = odd(folder, "no-server", status=2)
        assert "status 127" in missing.err and "command not found" in missing.err, missing.err
        version = odd(folder, "version", status=2)
        assert "9" in version.err and "version" in version.err, version.err


def test_odd_results():
    """Results nobody asked for, results twice, left out, or with other nonces: told, and never a pass for another"""
    with Folder() as folder:
        twice = odd(folder, "twice", status=1)
        assert "2 passed, 2 failed" in twice.out, twice.out
        assert "not asked for" in twice.out, twice.out
        stranger = odd(folder, "stranger", status=1)
        assert "nobody.AskedForThis" in stranger.out, stranger.out
        left_out = odd(folder, "leaves-out", status=3)
        assert "odd.Two" in left_out.out and "1 passed" in left_out.out, left_out.out
        nonce = odd(folder, "other-nonce", status=0)
        assert "broke the protocol" in nonce.out, nonce.out
        early = odd(folder, "early-done", status=0)
        assert "broke the protocol" in early.out, early.out


def test_dying_server():
    """A server that dies whatever it is given is given up, and every test has a result that says so"""
    with Folder() as folder:
        ended = odd(folder, "dies", status=3)
        assert set(ended.statuses()) == {"odd.One", "odd.Two"}, ended.results()
        assert set(ended.statuses().values()) <= {"fail", "lost"}, ended.results()
        assert "SIGSEGV" in ended.out, ended.out


def test_broken_history():
    """A history that cannot be read or written is told; results are shown, the exit code is theirs"""
    with Folder() as folder:
        with open(os.path.join(folder.path, ".hearth"), "w", encoding="utf-8") as file:
            file.write("in the way")
        failed = run(folder, patterns=["Plain"], status=1)
        assert "2 passed, 1 failed, 1 skipped" in failed.out and "history" in failed.out + failed.err, failed.out
        run(folder, patterns=["Plain.One"])


if __name__ == "__main__":
    sys.exit(e2e.main())
