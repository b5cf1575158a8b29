"""The server under test as a process: started, written to, read from, and cleared away with everything that it
started. One thread; every wait has a deadline, which only ever turns silence into a failure. A server that computes is
not silent: on a busy machine it gets the time that it needs.

Each check has a process of its own (runner.py), which adopts whatever its server leaves behind: what is below it
when the server has exited is a leftover."""

import ctypes
import errno
import fcntl
import math
import os
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import typing

PR_SET_CHILD_SUBREAPER = 36
# East of Greenwich by no whole hour, for a server that takes local time for UTC.
TIME_ZONE = "KIT-5:45"


def adopt_orphans():
    """From here on, descendants of this process whose parents die become its children."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


class Process(typing.NamedTuple):
    state: bytes
    parent: int
    ticks: int  # of CPU time


class Silent(Exception):
    """The server kept silent until the deadline."""


class Ended(Exception):
    """The server ended where it should not have."""


class Child:
    """What a launcher returns: a process and our ends of its pipes."""

    def __init__(self, pid, stdin, stdout, stderr, wait):
        self.pid, self.stdin, self.stdout, self.stderr, self.wait = pid, stdin, stdout, stderr, wait


def launch_command(command):
    """A launcher of servers: a function from environment to Child. The server leads a session of its own."""

    def launch(environment):
        stderr = tempfile.TemporaryFile()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=environment,
            start_new_session=True,
            bufsize=0,
        )

        def wait(block):
            if block:
                return process.wait()
            return process.poll()

        return Child(process.pid, process.stdin, process.stdout, stderr, wait)

    return launch


class ServerProcess:
    def __init__(self, launch, timeout):
        self._timeout = timeout
        self._child = launch({**os.environ, "TZ": TIME_ZONE})
        self.stdin_closed = False
        self.stdout_ended = False
        os.set_blocking(self._child.stdin.fileno(), False)
        os.set_blocking(self._child.stdout.fileno(), False)

    def exchange(self, data, receive, until, tolerate_end=False):
        """Writes `data` while it hands what arrives to `receive`, until all is written and until() holds. The
        deadline starts anew whenever bytes move or the server computes, and ten times it is the end of every wait."""
        data = memoryview(data)
        end = time.monotonic() + 10 * self._timeout
        half, work = self._half(), None
        while data or not until():
            if self.stdout_ended:
                if tolerate_end:
                    return
                raise Ended()
            now = time.monotonic()
            if now >= min(half, end):
                before, work = work, self._work()
                if work == before or now >= end:
                    raise Silent()
                half = self._half()
            poll = select.poll()
            poll.register(self._child.stdout.fileno(), select.POLLIN)
            if data and not self.stdin_closed:
                poll.register(self._child.stdin.fileno(), select.POLLOUT)
            for fd, _ in poll.poll(max(0, min(half, end) - now) * 1000):
                half, work = self._half(), None
                if fd == self._child.stdout.fileno():
                    self._read(receive)
                else:
                    data = self._write(data)
            if self.stdin_closed:
                data = data[:0]

    def _half(self):
        """When half of the deadline is over. Two looks at the server, that far apart, tell whether it computes."""
        return time.monotonic() + self._timeout / 2

    def _work(self):
        """What the server and those below it have computed, in clock ticks; equal to nothing while one of them would
        like to."""
        processes = _live_processes()
        found = [processes[pid] for pid in (self._child.pid, *self.descendants(processes)) if pid in processes]
        return math.nan if any(p.state in b"RD" for p in found) else sum(p.ticks for p in found)

    def _read(self, receive):
        try:
            chunk = os.read(self._child.stdout.fileno(), 1 << 20)
        except BlockingIOError:
            return
        self.stdout_ended = not chunk
        receive(chunk)

    def _write(self, data):
        try:
            return data[os.write(self._child.stdin.fileno(), data[: 1 << 16]) :]
        except BlockingIOError:
            return data
        except OSError as error:
            if error.errno not in (errno.EPIPE, errno.ECONNRESET):
                raise
            self.close_stdin()
            return data[:0]

    def wait_until_read(self):
        """Returns when the server has taken everything that was written, or the deadline has passed."""
        end = time.monotonic() + self._timeout
        while not self.stdin_closed and time.monotonic() < end:
            unread = fcntl.ioctl(self._child.stdin.fileno(), termios.FIONREAD, b"\0\0\0\0")
            if struct.unpack("i", unread)[0] == 0:
                return
            time.sleep(0.0002)

    def close_stdin(self):
        if not self.stdin_closed:
            self.stdin_closed = True
            self._child.stdin.close()

    def exit_status(self):
        """As subprocess has it: negative for a signal. None if it has not ended at the deadline."""
        return self._poll(lambda: self._child.wait(False))

    def leftovers(self):
        """The processes that the server started and that outlive it, once they had the time to die of a signal."""
        return self._poll(lambda: None if self.descendants() else []) or self.descendants()

    def _poll(self, ask):
        end = time.monotonic() + self._timeout
        pause = 0.001
        while True:
            answer = ask()
            if answer is not None or time.monotonic() > end:
                return answer
            time.sleep(pause)
            pause = min(2 * pause, 0.1)

    def descendants(self, processes=None):
        """Every live process below this one, the server apart."""
        processes = processes or _live_processes()
        found, below = [], {os.getpid()}
        while below:
            below = {pid for pid, process in processes.items() if process.parent in below}
            found += below
        return sorted(set(found) - {self._child.pid})

    def stderr(self):
        self._child.stderr.seek(0)
        return self._child.stderr.read().decode("utf-8", "replace")

    def clear_away(self):
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
        self._child.wait(True)
        while True:
            left = self.descendants()
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if not left:
                break
            time.sleep(0.002)
        self.close_stdin()
        self._child.stdout.close()
        self._child.stderr.close()


def _live_processes():
    """Process id to Process, zombies left out."""
    processes = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # gone
            continue
        if fields[0] != b"Z":
            processes[int(name)] = Process(fields[0], int(fields[1]), int(fields[11]) + int(fields[12]))
    return processes
