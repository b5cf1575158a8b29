#!/usr/bin/python3
"""What a test sees of its process, by hand and served: the same, but for what the manual's table says.

The programs are tests/programs/world_*; the table is that of docs/test-programs.md.
"""

import contextlib
import fcntl
import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import termios

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "adapters"))

import e2e
import served
from e2e import programs
from hearth_client import Server

MANUAL = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "test-programs.md")
# The program as it is; one that changes what it can before main(); one that cannot be forked.
VARIABLES = ({}, {"WORLD_CHANGED": "1"}, {"WORLD_THREADS": "1"})
MODES = ((), ("--isolation=none",), ("--isolated",))


def explained():
    """The rows of the manual's table: (key as a pattern, by hand, in a test)."""
    with open(MANUAL, encoding="utf-8") as file:
        section = file.read().partition("\n## A world as by hand\n")[2].partition("\n## ")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line.startswith("| `")]
    assert rows, "the manual has no table"
    return [(re.compile(re.escape(row[0].strip("`")).replace("N", r"\d+") + "$"), row[1].strip("`"), row[2].strip("`"))
            for row in rows]


def worlds_in(text):
    """What each test that printed has seen."""
    worlds = [re.findall(r"world: (.*?) = (.*)", part) for part in text.split("world: errno")[1:]]
    first = re.findall(r"world: errno = (.*)", text)
    assert worlds, text
    return [{"errno": error, **dict(world)} for error, world in zip(first, worlds)]


def environment_with(variables):
    environment = {**os.environ, **variables}
    environment.pop("_", None)
    return environment


def on_terminal(command, environment):
    """What the command prints on a terminal of its own, and its exit status."""
    ours, theirs = pty.openpty()
    attributes = termios.tcgetattr(theirs)
    attributes[1] &= ~termios.OPOST
    termios.tcsetattr(theirs, termios.TCSANOW, attributes)
    process = subprocess.Popen(["sh", "-c", '"$@"; exit $?', "sh", *command], env=environment, stdin=theirs, stdout=theirs,
                               stderr=theirs, start_new_session=True,
                               preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    printed = b""
    with contextlib.suppress(OSError):  # its end
        while more := os.read(ours, 1 << 16):
            printed += more
    os.close(ours)
    return printed.decode(), process.wait(300)


def start(command, environment, terminal, **popen):
    if terminal:
        return on_terminal(command, environment)
    with open("/dev/null", "rb") as nothing:
        done = subprocess.run(command, env=environment, stdin=nothing, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=300, check=False, **popen)
    return done.stdout.decode() + (done.stderr.decode() if done.returncode else ""), done.returncode


def by_hand(program, variables, terminal=False, **popen):
    printed, status = start([program], environment_with(variables), terminal, **popen)
    assert status == 0, printed
    return worlds_in(printed)


def through_hearth(program, variables, options, terminal=False, **popen):
    """The same in the same order, from `hearth run`."""
    name = os.path.basename(program)
    tests = [f"{name}.World.IsSeen"] + ([f"{name}.SetUpWorld.IsSeen"] if "googletest" in name else [])
    with tempfile.TemporaryDirectory() as folder:
        stream = os.path.join(folder, "stream")
        command = [Server.hearth, "run", "--no-history", "--subunit", stream, *options, program]
        printed, status = start(command, environment_with(variables), terminal, **popen)
        assert status == 0, printed
        with open(stream, "rb") as file:
            results = served.read_stream(file)
    return [worlds_in(results[test].text("stdout"))[0] for test in tests]


def without_mark(world):
    """Also: the differing variable, where it is the last of those that the program was given."""
    variables = [world.pop(f"variable {number}") for number in range(1000) if f"variable {number}" in world]
    inherited = [number for number, word in enumerate(variables) if not word.startswith("WORLD_SET=")]
    marks = [number for number in inherited if variables[number].startswith("HEARTH_TEST=")]
    difference = {}
    if marks and marks == inherited[-1:]:
        difference = {f"variable {marks[0]}": (None, variables.pop(marks[0]))}
    world.update((f"variable {number}", word) for number, word in enumerate(variables))
    return difference


def differences(ours, theirs):
    mark = without_mark(theirs)
    return mark | {key: (ours.get(key), theirs.get(key)) for key in {*ours, *theirs} if ours.get(key) != theirs.get(key)}


def is_row(row, key, values):
    pattern, plain, serving = row
    plain_ok = values[0] is None if plain == "none" else plain == "*" or values[0] == plain
    serving_ok = serving == "*" or (values[1] or "").startswith(serving)
    return pattern.match(key) and plain_ok and serving_ok


def check(program, rows, seen, variables, options, **popen):
    all_by_hand = by_hand(program, variables, **popen)
    all_served = through_hearth(program, variables, options, **popen)
    for ours, theirs in zip(all_by_hand, all_served, strict=True):
        for key, values in differences(ours, theirs).items():
            found = [number for number, row in enumerate(rows) if is_row(row, key, values)]
            assert found, f"{os.path.basename(program)} {variables} {options}: {key}: by hand and served: {values}"
            seen.update(found)


def world_programs():
    return [path for name, path in programs.items() if name.startswith("world_")]


def test_as_by_hand():
    """A test's world is the one by hand, in every mode, but for what the manual explains; and that is so"""
    rows = explained()
    seen = set()
    for program in world_programs():
        for variables in VARIABLES:
            for options in MODES:
                check(program, rows, seen, variables, options)
        check(program, rows, seen, {}, (), terminal=True)
    never = [rows[number][0].pattern for number in range(len(rows)) if number not in seen]
    assert not never, f"the manual explains what is not so: {never}"


def test_inherited():
    """What whoever started it has left behind: ignored and blocked signals, a umask, limits"""
    def leave_behind():
        for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGTERM])
        os.umask(0o77)
        os.nice(2)

    program = programs["world_googletest"]
    for variables in VARIABLES[::2]:
        for options in MODES:
            check(program, explained(), set(), variables, options, restore_signals=False, preexec_fn=leave_behind)
    assert by_hand(program, {}, restore_signals=False, preexec_fn=leave_behind)[0]["signal 1"].startswith("ignored")


if __name__ == "__main__":
    sys.exit(e2e.main())
