"""The tests behind the reference server, and a process for each execution of one."""

import ctypes
import json
import os
import signal
import sys
import time

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def passes():
    return {"status": "success"}


def fails():
    return {"status": "fail", "traceback": "ref.py:7: expected 1, got 2"}


def skips():
    return {"status": "skip", "reason": "not on a day like this"}


def fails_as_expected():
    return {"status": "xfail", "traceback": "bug 17"}


def crashes():
    os.kill(os.getpid(), signal.SIGSEGV)


def exits():
    os._exit(0)


def hangs():
    print("before the hang", flush=True)
    while True:
        time.sleep(1000)


def prints():
    print("Größe: 3 µm")
    print("to stderr", file=sys.stderr)
    return {"status": "success"}


def records():
    return {"status": "success", "properties": {"seed": "42"}}


TESTS = {
    "ref.Verdict.Passes": passes,
    "ref.Verdict.PassesToo": passes,
    "ref.Verdict.Fails": fails,
    "ref.Verdict.Skips": skips,
    "ref.Verdict.FailsAsExpected": fails_as_expected,
    "ref.Edge.Crashes": crashes,
    "ref.Edge.Exits": exits,
    "ref.Edge.Hangs": hangs,
    "ref.Output.Prints": prints,
    "ref.Output.Records": records,
}


class Execution:
    """One test in one child. The server watches `files` and `pidfd`, and calls read() and reap()."""

    def __init__(self, request, test_id, dies_with_us=True):
        self.request, self.test_id = request, test_id
        self.killed_for = None
        self.output = {"stdout": b"", "stderr": b""}  # what was attached
        self._report = b""
        pipes = {name: os.pipe() for name in ("stdout", "stderr", "report")}
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _become_test(pipes, TESTS[test_id], dies_with_us)
            finally:
                os._exit(70)
        for read_end, write_end in pipes.values():
            os.close(write_end)
            os.set_blocking(read_end, False)
        self.files = {read_end: name for name, (read_end, _) in pipes.items()}
        self.pidfd = os.pidfd_open(self.pid)

    def read(self, fd):
        """(name, bytes) of what has come; empty bytes at end of file; None when nothing is there."""
        name = self.files[fd]
        try:
            data = os.read(fd, 65_536)
        except BlockingIOError:
            return name, None
        if name == "report":
            self._report += data
        return name, data

    def close(self, fd):
        del self.files[fd]
        os.close(fd)

    def kill(self, why=None):
        self.killed_for = self.killed_for or why
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:  # it has not made its group yet, or is gone
            os.kill(self.pid, signal.SIGKILL)

    def reap(self):
        self.kill()
        _, status = os.waitpid(self.pid, 0)
        os.close(self.pidfd)
        self._status = status

    def verdict(self):
        """The final status, and attachments by name."""
        if self.killed_for:
            return {"status": "fail", "traceback": self.killed_for}
        try:
            return json.loads(self._report)
        except ValueError:
            pass
        if os.WIFSIGNALED(self._status):
            how = f"ended by {signal.Signals(os.WTERMSIG(self._status)).name}"
        else:
            how = f"exited with status {os.waitstatus_to_exitcode(self._status)} before its verdict"
        return {"status": "fail", "traceback": how}


def _become_test(pipes, function, dies_with_us):
    os.setpgid(0, 0)
    if dies_with_us:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    null = os.open(os.devnull, os.O_RDONLY)
    report = pipes["report"][1]
    for fd, source in ((0, null), (1, pipes["stdout"][1]), (2, pipes["stderr"][1])):
        os.dup2(source, fd)
    for name in ("stdout", "stderr"):
        encoding = {"encoding": "utf-8", "closefd": False}
        setattr(sys, name, os.fdopen(1 if name == "stdout" else 2, "w", **encoding))
    outcome = function()
    sys.stdout.flush()
    sys.stderr.flush()
    os.write(report, json.dumps(outcome).encode())
    os._exit(0)
