"""The tests behind the reference server, and a process for each execution of one. They are scripts: forks of a Python
process would cost fifty times as much."""

import json
import os
import shlex
import signal


def verdict(**fields):
    return f"printf %s {shlex.quote(json.dumps(fields))} >&3"


HANGING = "ref.Edge.Hangs"
TESTS = {
    "ref.Verdict.Passes": verdict(status="success"),
    "ref.Verdict.PassesToo": verdict(status="success"),
    "ref.Verdict.Fails": verdict(status="fail", traceback="ref.py:7: expected 1, got 2"),
    "ref.Verdict.Skips": verdict(status="skip", reason="not on a day like this"),
    "ref.Verdict.FailsAsExpected": verdict(status="xfail", traceback="bug 17"),
    "ref.Edge.Crashes": "kill -SEGV $$",
    "ref.Edge.Exits": "exit 0",
    # Until its limit, or the end of its server; a tail that printed to our stdout would end when nobody reads it.
    HANGING: "echo before the hang; exec tail -f /dev/null --pid=$SERVER 4>&1 >/dev/null",
    "ref.Output.Prints": "echo 'Größe: 3 µm'; echo to stderr >&2; " + verdict(status="success"),
    "ref.Output.Records": verdict(status="success", properties={"seed": "42"}),
}


class Execution:
    """One test in one child. The server watches `files` and `pidfd`, and calls read() and reap()."""

    def __init__(self, request, test_id, dies_with_us=True):
        self.request, self.test_id = request, test_id
        self.killed_for = None
        self.output = {"stdout": b"", "stderr": b""}  # what was attached
        self._report = b""
        pipes = {name: os.pipe() for name in ("stdout", "stderr", "report")}
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        sources = (null, *(write_end for _, write_end in pipes.values()))
        self.pid = os.posix_spawn(
            "/bin/sh",
            ["sh", "-c", TESTS[test_id].encode()],
            {**os.environ, "SERVER": str(os.getpid() if dies_with_us else 1)},
            file_actions=[(os.POSIX_SPAWN_DUP2, source, fd) for fd, source in enumerate(sources)],
            setpgroup=0,
        )
        os.close(null)
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
        except ProcessLookupError:
            pass

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
