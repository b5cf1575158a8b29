#!/usr/bin/python3
"""`hearth run` beside the server alone, and beside what else runs the same tests: wall time, start-up, memory, CPU.

    run.py HEARTH SLEEPERS MANY_1 MANY_1000 MANY_10000 MANY_100000 [PART...]

What counts are the ratios of one run, taken turn by turn; required are the bounds of docs/performance.md. Exit code
1 where one is missed.
"""

import contextlib
import fcntl
import os
import pty
import re
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

from bare import Bare, message

# Absolute: some are started in another directory.
HEARTH, SLEEPERS, ONE, THOUSAND, TEN_THOUSAND, HUNDRED_THOUSAND = map(os.path.abspath, sys.argv[1:7])
CPUS = len(os.sched_getaffinity(0))
ROUNDS = 5

missed = []


def judged(what, value, bound, unit=""):
    """A bound's line."""
    well = value <= bound
    if not well:
        missed.append(what)
    return f"{what}: {value:.2f}{unit} (required: {bound:g}{unit}){'' if well else '  MISSED'}"


# ---- the server alone --------------------------------------------------------------------------------


def server_alone(*arguments):
    server = Bare(HEARTH, "serve", *arguments)
    server.send(msg="Hello", min=1, max=1)
    server.send(msg="Run", nonce="n")
    server.wait_for(b'"Done"')
    return server.leave()


# ---- hearth run -------------------------------------------------------------------------------------


def seconds_of(command, **options):
    begin = time.monotonic()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        sys.exit(f"run.py: {command} ended with status {done.returncode}")
    return time.monotonic() - begin


class Watched:
    """A process, with the CPU and the memory that it itself has used; not its children."""

    def __init__(self, command, stdout=subprocess.DEVNULL):
        begin = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout)
        self.peak = 0
        while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            self.peak = self.peak_of(process.pid) or self.peak
            time.sleep(0.01)
        self.wall = time.monotonic() - begin
        with open(f"/proc/{process.pid}/schedstat", encoding="ascii") as file:
            self.cpu = int(file.read().split()[0]) / 1e9
        if process.wait() != 0:
            sys.exit(f"run.py: {command} ended with status {process.returncode}")

    @staticmethod
    def peak_of(pid):
        """Bytes."""
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            peak = re.search(r"^VmHWM:\s+(\d+) kB", file.read(), re.MULTILINE)
        return int(peak[1]) * 1024 if peak else 0


@contextlib.contextmanager
def terminal(columns=100, rows=40):
    """One that somebody reads."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read():
        with contextlib.suppress(OSError):
            while os.read(ours, 1 << 16):
                pass

    reader = threading.Thread(target=read)
    reader.start()
    try:
        yield theirs
    finally:
        os.close(theirs)
        reader.join()
        os.close(ours)


def measure_overhead(project):
    print("wall time, 10,000 trivial tests: hearth run over one Run of the server alone, both with start and end")
    for jobs in sorted({CPUS, 8}):
        arguments = ["-j", str(jobs), TEN_THOUSAND]
        alone, without, history = [], [], []
        for _ in range(ROUNDS):
            alone.append(server_alone(*arguments))
            without.append(seconds_of([HEARTH, "run", "--no-history", *arguments]))
            history.append(seconds_of([HEARTH, "run", "-C", project, *arguments]))
        for name, taken in ("without history", without), ("with history", history):
            ratio = statistics.median(ours / theirs for ours, theirs in zip(taken, alone))
            print("  " + judged(f"{jobs} at a time, {name}", ratio, 1.15), flush=True)
        print(f"    the server alone: {statistics.median(alone):.2f} s")


def ids_of(program):
    listed = subprocess.run([HEARTH, "list", program], capture_output=True, text=True, check=True).stdout
    return [line.partition(".")[2] for line in listed.splitlines()]


def first_start(command):
    """Seconds from the command's start to the start of the first test."""
    begin = time.time()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as run:
        said = run.stdout.read()
    return earliest(said) - begin


def earliest(stream):
    """The time of the first packet that has one."""
    at = stream.index(b"\xb3")
    while not struct.unpack_from(">H", stream, at + 1)[0] & 0x0200:
        first = stream[at + 3]
        width = (first >> 6) + 1
        at += int.from_bytes(stream[at + 3 : at + 3 + width], "big") & ((1 << (8 * width - 2)) - 1)
    width = (stream[at + 3] >> 6) + 1
    at += 3 + width
    second = struct.unpack_from(">I", stream, at)[0]
    width = (stream[at + 4] >> 6) + 1
    nano = int.from_bytes(stream[at + 4 : at + 4 + width], "big") & ((1 << (8 * width - 2)) - 1)
    return second + nano / 1e9


def bare_starts(program, ids):
    """Seconds to Hello, and to the first test's start, of a client that lists, and runs what it knows will be listed."""
    server = Bare(HEARTH, "serve", program)
    run = message(msg="Run", nonce="n", tests=ids)
    server.send(msg="Hello", min=1, max=1)
    hello = server.wait_for(b'"Hello"')
    server.send(msg="List", nonce="l")
    server.wait_for(b'"Done"', keep=0)
    server.said = b""
    server.write(run)
    server.wait_for(b'"Done"', keep=0)
    server.leave()
    return hello, earliest(server.said) - server.started_at


def measure_start(project):
    print("start to the first test's start; bare: a client that has nothing to do but to send List and Run")
    for program in ONE, THOUSAND, TEN_THOUSAND:
        ids = [f"{os.path.basename(program)}.{name}" for name in ids_of(program)]
        options = ["--subunit", "-", program]
        rows = []
        for _ in range(2 * ROUNDS):
            rows.append([*bare_starts(program, ids), first_start([HEARTH, "run", "--no-history", *options]),
                         first_start([HEARTH, "run", "-C", project, *options])])
        hello, bare, without, history = (statistics.median(column) * 1e3 for column in zip(*rows))
        for name, column in ("without history", 2), ("with history", 3):
            more = statistics.median((row[column] - row[1]) * 1e3 for row in rows)
            print("  " + judged(f"{os.path.basename(program)}, {name}, more than bare", more, 20, " ms"))
        print(f"    hearth run {without:.1f} and {history:.1f} ms, bare {bare:.1f} ms, bare to Hello {hello:.1f} ms",
              flush=True)


def measure_memory(project):
    print("client's memory, 100,000 tests, with history")
    for name in "first run", "second run":
        watched = Watched([HEARTH, "run", "-C", project, HUNDRED_THOUSAND])
        print("  " + judged(name, watched.peak / 1e6, 100, " MB"), flush=True)


def measure_progress(_):
    print("client's CPU for progress on a terminal of 100 columns, in % of the wall time")
    with terminal() as screen:
        watched = Watched([HEARTH, "run", "--no-history", "-j", "16", SLEEPERS], screen)
    print("  " + judged("all that it uses while 16 tests sleep", 100 * watched.cpu / watched.wall, 2, " %"))
    plain, shown = [], []
    for _ in range(ROUNDS):
        command = [HEARTH, "run", "--no-history", "-j", "8", TEN_THOUSAND]
        plain.append(Watched(command))
        with terminal() as screen:
            shown.append(Watched(command, screen))
    # What is used beyond the least is due to others on the machine.
    least, wall = min(run.cpu for run in shown), statistics.median(run.wall for run in shown)
    more = least - min(run.cpu for run in plain)
    print("  " + judged("10,000 trivial tests, more than into a file", 100 * more / wall, 2, " %"))
    print(f"    all that it uses there, results included: {100 * least / wall:.1f} %", flush=True)


# ---- the peers --------------------------------------------------------------------------------------


def plain_loop(program, ids, at_once):
    """Each test by itself in a process of its own, started by a shell's means."""
    names = "".join(name + "\n" for name in ids)
    command = ["xargs", "-P", str(at_once), "-I", "{}", program, "--gtest_filter={}", "--gtest_brief=1"]
    begin = time.monotonic()
    subprocess.run(command, input=names, text=True, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def measure_peers(project):
    print(f"1,000 trivial tests, {CPUS} at a time; wall time over that of hearth run (with history)")
    environment = {**os.environ, "PATH": f"{os.path.dirname(HEARTH)}:{os.environ['PATH']}"}
    subprocess.run([HEARTH, "init", THOUSAND], cwd=project, check=True, stdout=subprocess.DEVNULL)
    ids = ids_of(THOUSAND)
    ways = {"hearth run": lambda: seconds_of([HEARTH, "run"], cwd=project, env=environment)}
    if shutil.which("testr"):
        subprocess.run(["testr", "init"], cwd=project, check=True)
        ways["testr run --parallel, through hearth stream"] = lambda: seconds_of(
            ["testr", "run", "--parallel"], cwd=project, env=environment)
    else:
        print("  no testr here (Debian's package testrepository)")
    if shutil.which("gtest-parallel"):
        ways["gtest-parallel"] = lambda: seconds_of(["gtest-parallel", f"--workers={CPUS}", THOUSAND])
    else:
        print("  no gtest-parallel here (Debian has no package of it)")
    ways[f"a loop: a process for each test, {CPUS} at a time"] = lambda: plain_loop(THOUSAND, ids, CPUS)
    ways["a loop: a process for each test, one after the other"] = lambda: plain_loop(THOUSAND, ids, 1)
    ways["the program by itself: one process, no isolation"] = lambda: seconds_of([THOUSAND])
    taken = {name: [] for name in ways}
    for _ in range(3):
        for name, way in ways.items():
            taken[name].append(way())
    ours = statistics.median(taken["hearth run"])
    for name, seconds in taken.items():
        print(f"  {statistics.median(seconds) / ours:6.2f}  {name} ({statistics.median(seconds):.2f} s)", flush=True)


PARTS = {"overhead": measure_overhead, "start": measure_start, "progress": measure_progress, "memory": measure_memory,
         "peers": measure_peers}


def main():
    print(f"{CPUS} CPUs, load {os.getloadavg()[0]:.2f} at the beginning")
    for part in sys.argv[7:] or PARTS:
        with tempfile.TemporaryDirectory(prefix="hearth-bench-") as project:
            PARTS[part](project)
    if missed:
        print("missed: " + "; ".join(missed))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
