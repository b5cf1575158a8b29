"""The tests behind the reference server, and a process for each execution of one. They are scripts: forks of a Python
process would cost fifty times as much."""

import json
import os
import shlex
import signal


def verdict(**fields):
    return f"printf %s {shlex.quote(json.dumps(fields))} >&3"


TEXT = "text/plain;charset=utf8"
OCTETS = "application/octet-stream"
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
    # printf's own octal escapes; the last byte begins a character that never ends.
    "ref.Output.Binary": "printf 'text \\303\\274\\377\\000more\\303'; " + verdict(status="success"),
    "ref.Output.Records": verdict(status="success", properties={"seed": "42"}),
}


class Output:
    """What a test writes to one descriptor, as attachments: text, and from the first byte that is none on octets, [RPC-9.9]."""

    def __init__(self, name):
        self.name = name
        self.attached = {}  # attachment to MIME type, in order
        self._tail = b""
        self._octets = None  # the attachment that they go to

    def divide(self, data, final=False):
        """(attachment, MIME type, bytes), as far as can be said before more comes."""
        data, self._tail = self._tail + data, b""
        parts = []
        if self._octets is None:
            text, data = self._text(data, final)
            if text:
                parts.append((self.name, TEXT, text))
                self.attached[self.name] = TEXT
            if data:
                self._octets = f"{self.name}.bin" if self.name in self.attached else self.name
        if data:
            self.attached[self._octets] = OCTETS
            parts.append((self._octets, OCTETS, data))
        return parts

    def _text(self, data, final):
        try:
            data.decode("utf-8")
            return data, b""
        except UnicodeDecodeError as error:
            if error.reason == "unexpected end of data" and not final:
                self._tail = data[error.start :]
                return data[: error.start], b""
            return data[: error.start], data[error.start :]


class Execution:
    """One test in one child. The server watches `files` and `pidfd`, and calls read() and reap()."""

    def __init__(self, request, test_id, dies_with_us=True):
        self.request, self.test_id = request, test_id
        self.killed_for = None
        self.output = {name: Output(name) for name in ("stdout", "stderr")}
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
