#!/usr/bin/python3
"""What `hearth` concludes from servers that break the protocol (broken/client_faults.py, spec/rpc.md section 11). Writes TAP.
Arguments: the hearth executable. Times are deadlines of hearth's own; none decides a result."""

import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

HERE = pathlib.Path(__file__).resolve().parent
SERVER = HERE / "broken" / "reference_server.py"
GREEN = ["ref.Verdict.Passes", "ref.Verdict.PassesToo", "ref.Output.Prints", "ref.Output.Records", "ref.Output.Binary"]
PATTERN = ["--", *(f"^{re.escape(test_id)}$" for test_id in GREEN)]
GUARD = 120  # seconds; for what would wait for ever
HEARTH = os.path.abspath(sys.argv[1])
TESTS = []


def test(function):
    TESTS.append(function)
    return function


def command(fault, exec_it=True):
    words = [sys.executable, str(SERVER), *(["--break", f"client:{fault}"] if fault else [])]
    line = " ".join(map(shlex.quote, words))
    return f"exec {line}" if exec_it else f"{line}; true"


class Done:
    def __init__(self, status, out, err):
        self.status, self.text = status, out + err

    def expect(self, status, *words):
        assert self.status == status, (self.status, self.text)
        for word in words:
            assert word in self.text, (word, self.text)
        return self


def start(*arguments, fault, exec_it=True):
    folder = tempfile.mkdtemp()
    words = [HEARTH, *arguments[:1], "--server", command(fault, exec_it), *arguments[1:]]
    return subprocess.Popen(words, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace")


def read(process, on_line):
    """All that a run writes, line by line; one that waits for ever is killed."""
    guard = threading.Timer(GUARD, process.kill)
    guard.start()
    text = ""
    with process.stdout:
        for line in process.stdout:
            text += line
            on_line(line)
    text += process.stderr.read()
    process.stderr.close()
    process.wait()
    guard.cancel()
    return text


def hearth(*arguments, fault, exec_it=True):
    process = start(*arguments, fault=fault, exec_it=exec_it)
    out, err = process.communicate(timeout=GUARD)
    return Done(process.returncode, out, err)


def state_of(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return None


def lives(pid):
    return state_of(pid) not in (None, "Z", "X")


@test
def a_server_that_breaks_nothing():
    hearth("run", *PATTERN, fault=None).expect(0, "5 passed in")


@test
def one_damaged_exists_packet_is_asked_for_again():
    done = hearth("run", *PATTERN, fault="one-exists")
    done.expect(0, "5 passed in", "a damaged packet", "asking for it again")


@test
def a_list_that_is_always_damaged_is_no_list():
    for arguments in (["run", *PATTERN], ["list"], ["stream"], ["stream", "--list"]):
        done = hearth(*arguments, fault="always-one-exists")
        done.expect(3, "the list of tests is not complete")
        assert "passed in" not in done.text or "0 passed" in done.text, done.text


@test
def an_exists_packet_after_done_is_an_error():
    for arguments in (["run"], ["list"], ["stream"], ["run", "--", "Verdict", "nothing of this kind"]):
        hearth(*arguments, fault="exists-behind-done").expect(3, "the list of tests is not complete")


@test
def damage_all_over_is_never_green():
    done = hearth("run", *PATTERN, fault="every-seventh-packet")
    assert done.status in (1, 3), done.text
    assert "damaged packet" in done.text, done.text


@test
def a_test_that_is_listed_twice_is_one():
    hearth("run", *PATTERN, fault="lists-twice").expect(0, "5 passed in", "more than once")


@test
def results_of_an_earlier_run_count_for_no_later_one():
    hearth("run", "--repeat", "2", *PATTERN, fault="stale-results").expect(3, "5 passed, 5 lost")


@test
def what_nobody_asked_for_is_in_no_count():
    hearth("run", *PATTERN, fault="strangers").expect(0, "5 passed in", "nobody asked for", "ref.Verdict.Passes.stranger")


@test
def twenty_thousand_errors_are_borne():
    done = hearth("run", *PATTERN, fault="floods").expect(0, "5 passed in", "are not shown")
    assert done.text.count("nothing in particular") < 200, done.text.count("nothing in particular")


@test
def a_server_that_stands_still_is_named():
    process = start("run", "--listed-order", *PATTERN, fault="stops")

    def kill_it(line):
        if found := re.search(r"process (\d+) \(.*\) of the server is stopped.*given up in 1:00 min", line):
            os.kill(int(found[1]), signal.SIGKILL)

    text = read(process, kill_it)
    assert "is stopped" in text, text
    assert process.returncode != 0, text


@test
def a_server_under_a_shell_does_not_outlive_the_run():
    done = hearth("run", *PATTERN, fault="stubborn", exec_it=False)
    done.expect(0, "5 passed in")
    pid = int(re.search(r"reference server: process (\d+)", done.text)[1])
    assert not lives(pid), (pid, state_of(pid))


@test
def a_signal_ends_what_does_nothing_any_more():
    for exec_it in (True, False):
        process = start("run", *PATTERN, fault="deaf-in-the-middle", exec_it=exec_it)
        pids = []

        def interrupt(line):
            if found := re.search(r"reference server: process (\d+)", line):
                pids.append(int(found[1]))
                process.send_signal(signal.SIGTERM)

        text = read(process, interrupt)
        assert process.returncode == 130, (process.returncode, text)
        assert pids and not any(map(lives, pids)), (pids, text)


def main():
    print(f"1..{len(TESTS)}")
    failed = False
    for number, function in enumerate(TESTS, 1):
        problem = ""
        try:
            function()
        except Exception:
            problem = traceback.format_exc()
            failed = True
        print(f"{'not ok' if problem else 'ok'} {number} - {function.__name__.replace('_', ' ')}", flush=True)
        for line in problem.splitlines():
            print(f"# {line}".encode("utf-8", "backslashreplace").decode())
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
