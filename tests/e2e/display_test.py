#!/usr/bin/python3
"""What people look at in `hearth run`: a terminal (pyte's, behind a pseudo-terminal), plain lines, and report files."""

import collections
import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import xml.etree.ElementTree

import pyte

import e2e
from e2e import Folder, programs
from hearth_client import Server

PATIENCE = 300  # seconds, for what takes far less
WAITS = "faults.Output.PrintsThenWaits"


def hearth_run(*arguments):
    return [Server.hearth, "run", "--no-history", *arguments]


class Terminal:
    """`hearth run` on a terminal of this size."""

    def __init__(self, columns, rows, *arguments, **variables):
        self.screen = pyte.Screen(columns, rows)
        self.m_stream = pyte.ByteStream(self.screen)
        try:
            self.m_master, slave = pty.openpty()
        except OSError as why:  # a container without /dev/pts
            raise e2e.Skip(f"there is no pseudo-terminal here: {why}") from why
        self.m_size(columns, rows)
        environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
        environment.update({"TERM": "xterm", **variables})

        def take_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(hearth_run(*arguments), stdin=slave, stdout=slave, stderr=slave,
                                        env=environment, preexec_fn=take_terminal)
        os.close(slave)
        self.raw = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.m_master)

    def m_size(self, columns, rows):
        fcntl.ioctl(self.m_master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self.m_size(columns, rows)

    def type(self, keys):
        os.write(self.m_master, keys)

    def lines(self):
        return [line.rstrip() for line in self.screen.display if line.strip()]

    def m_read(self, until):
        """False at the end."""
        ready, _, _ = select.select([self.m_master], [], [], max(0, until - time.monotonic()))
        assert ready, f"nothing more came; the screen:\n{self.lines()}"
        try:
            data = os.read(self.m_master, 65536)
        except OSError:  # the other end is closed
            return False
        self.raw += data
        self.m_stream.feed(data)
        return bool(data)

    def until(self, shows):
        """Reads until the screen's lines satisfy `shows`."""
        limit = time.monotonic() + PATIENCE
        while not shows(self.lines()):
            assert self.m_read(limit), f"the end came first; the screen:\n{self.lines()}"

    def until_end(self):
        limit = time.monotonic() + PATIENCE
        while self.m_read(limit):
            pass
        return self.process.wait(PATIENCE)


def any_has(*parts):
    return lambda lines: all(any(part in line for line in lines) for part in parts)


def test_terminal():
    """A terminal shows counts, a bar and what runs; failures stay; nothing live is left at the end"""
    with Folder() as folder:
        folder.make_gate("output")
        with Terminal(100, 60, "--jobs", "1", *folder.options, programs["faults"],
                      programs["behaviours_googletest"], "--", r"Verdict\.(Passes|FailsTwice)$",
                      "PrintsThenWaits$") as terminal:
            terminal.until(any_has("PrintsThenWaits", "/3  "))
            assert any(line.startswith("[") for line in terminal.lines()), terminal.lines()
            folder.open_gate("output")
            assert terminal.until_end() == 1
            lines = terminal.lines()
            assert lines[-1].startswith("2 passed, 1 failed in "), lines
            assert not any(line.startswith("[") or "/3  " in line for line in lines), lines
            text = "\n".join(lines)
            assert text.count("FAIL   behaviours_googletest.Verdict.FailsTwice") == 1, lines
            assert text.count("behaviours_googletest.Verdict.FailsTwice") == 2, lines  # and at the end


def test_asked():
    """SIGUSR1 and the key t tell what runs, since when, and what it said last"""
    with Folder() as folder:
        folder.make_gate("output")
        with Terminal(100, 24, *folder.options, programs["faults"], "--", "PrintsThenWaits$") as terminal:
            terminal.until(any_has("PrintsThenWaits"))
            # In all that was written: a screen holds no more than a few answers, and old ones leave it for new ones.
            answers = lambda: terminal.raw.count(b"Running now, after ")
            os.kill(terminal.process.pid, signal.SIGUSR1)
            terminal.until(lambda lines: answers() == 1)
            asked = 1
            # Its output may still be on its way.
            while asked < 12 or "said last: before the gate, too" not in "\n".join(terminal.lines()):
                terminal.type(b"t")
                asked += 1
                terminal.until(lambda lines: answers() == asked)
            folder.open_gate("output")
            assert terminal.until_end() == 0
            assert terminal.lines()[-1].startswith("1 passed in "), terminal.lines()


def test_sizes():
    """The live part fits a small terminal, and one that changes its size, and leaves nothing behind"""
    with Folder() as folder:
        folder.make_gate("output")
        with Terminal(100, 24, *folder.options, programs["faults"], "--", "PrintsThenWaits$") as terminal:
            terminal.until(any_has("/1  "))
            for columns, rows in ((60, 10), (20, 3), (90, 20), (20, 3)):
                terminal.resize(columns, rows)
                before = len(terminal.raw)
                fits = lambda lines: (len(lines) == 2 and "0/1" in lines[0] and "Waits" in lines[1])
                # A frame of the old size may still be on its way; each is one write, and read as a whole or in parts.
                terminal.until(lambda lines: terminal.raw[before:].endswith(b"\x1b[?2026l") and fits(lines))
            folder.open_gate("output")
            assert terminal.until_end() == 0


def test_interrupted():
    """Ctrl-C leaves a screen without live lines, and the summary"""
    with Folder() as folder:
        folder.make_gate("output")
        with Terminal(100, 24, *folder.options, programs["faults"], "--", "PrintsThenWaits$") as terminal:
            terminal.until(any_has("PrintsThenWaits"))
            terminal.type(b"\x03")
            assert terminal.until_end() == 130
            lines = terminal.lines()
            assert any(line.startswith("Interrupted: 1 test ") for line in lines), lines
            assert not any(line.startswith("[") for line in lines), lines


def test_color():
    """Colour follows --color, NO_COLOR and the kind of output"""
    tests = (programs["behaviours_googletest"], "--", r"Verdict\.Passes$")
    for variables, options, colored in (({}, (), True), ({"NO_COLOR": "1"}, (), False),
                                        ({"NO_COLOR": "1"}, ("--color", "always"), True),
                                        ({}, ("--color", "never"), False), ({"TERM": "dumb"}, (), False)):
        with Terminal(80, 24, *options, *tests, **variables) as terminal:
            assert terminal.until_end() == 0
            assert (b"\x1b[32m" in terminal.raw) == colored, (variables, options, terminal.raw)
    environment = {name: value for name, value in os.environ.items() if name not in ("FORCE_COLOR", "CLICOLOR_FORCE")}
    for options, colored in (((), False), (("--color", "always"), True)):
        done = subprocess.run(hearth_run(*options, *tests), capture_output=True, check=True, env=environment)
        assert (b"\x1b[" in done.stdout) == colored, done.stdout


def test_plain_lines():
    """Where there is no terminal, a line that begins with a word is one result"""
    done = subprocess.run(hearth_run("-v", "--retries", "1", programs["behaviours_googletest"], "--", r"\.Verdict\."),
                          capture_output=True, check=False, text=True, timeout=PATIENCE)
    assert done.returncode == 1, done
    words = collections.Counter(line.split()[0] for line in done.stdout.splitlines()
                                if line.split() and line[0] not in " \t")
    assert "\x1b" not in done.stdout
    assert words["FAIL"] == words["RETRY"] == 6 and words["PASS"] == 2 and words["SKIP"] == 1, done.stdout


# Element: its attributes (those in capitals may not be missing), and its children. What Jenkins's xunit plugin takes.
JUNIT = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"NAME", "TESTS", "FAILURES", "ERRORS", "skipped", "time", "timestamp"}, {"testcase"}),
    "testcase": ({"NAME", "time", "classname"},
                 {"skipped", "error", "failure", "rerunFailure", "rerunError", "flakyFailure", "flakyError",
                  "system-out", "system-err"}),
    **{name: ({"type", "message"}, set()) for name in ("skipped", "error", "failure")},
    **{name: ({"TYPE", "message"}, {"stackTrace", "system-out", "system-err"})
       for name in ("rerunFailure", "rerunError", "flakyFailure", "flakyError")},
    **{name: (set(), set()) for name in ("stackTrace", "system-out", "system-err")},
}


def check_junit(element):
    attributes, children = JUNIT[element.tag]
    assert set(element.attrib) <= {name.lower() for name in attributes}, (element.tag, element.attrib)
    assert {name.lower() for name in attributes if name.isupper()} <= set(element.attrib), element.attrib
    for child in element:
        assert child.tag in children, (element.tag, child.tag)
        check_junit(child)


def test_reports_agree():
    """JUnit, TAP, JSON and subunit tell the same, whatever tests print"""
    with tempfile.TemporaryDirectory() as folder:
        paths = {kind: os.path.join(folder, "results." + kind) for kind in ("junit", "tap", "json", "subunit")}
        options = [word for kind, path in paths.items() for word in (f"--{kind}", path)]
        done = subprocess.run(hearth_run(*options, programs["behaviours_googletest"], "--", r"\.Verdict\.",
                                         r"Output\.Prints(NotUtf8|AndFails|Packets|NoNewline)$", r"End\.Aborts$"),
                              capture_output=True, check=False, timeout=PATIENCE)
        assert done.returncode == 1, done
        assert len(os.listdir(folder)) == len(paths), os.listdir(folder)

        with open(paths["json"], encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        assert events[0]["event"] == "begin" and events[0]["version"] == 1 and events[-1]["event"] == "end"
        statuses = {event["id"]: event["status"] for event in events if event["event"] == "result"}
        assert len(statuses) == events[0]["tests"] == events[-1]["counts"]["done"] == 14, statuses
        counts = collections.Counter(statuses.values())
        assert counts["fail"] == events[-1]["counts"]["failed"]
        started = [event["id"] for event in events if event["event"] == "started"]
        assert sorted(started) == sorted(statuses), started

        root = xml.etree.ElementTree.parse(paths["junit"]).getroot()
        check_junit(root)
        assert (int(root.get("tests")), int(root.get("failures"))) == (14, counts["fail"])
        cases = {f'{case.get("classname")}.{case.get("name")}': case for case in root.iter("testcase")}
        for test, status in statuses.items():
            expected = {"fail": "failure", "skip": "skipped", "success": None}[status]
            assert {child.tag for child in cases[test]} - {"system-out", "system-err"} == ({expected} - {None}), test
        output = cases["behaviours_googletest.Output.PrintsAndFails"].find("system-out").text
        assert output == "to stdout\n", output

        points = subprocess.run(["prove", "--merge", "-v", paths["tap"]], capture_output=True, check=False, text=True)
        assert f"Failed {counts['fail']}/14 subtests" in points.stdout, points.stdout
        assert "Parse errors" not in points.stdout, points.stdout

        with open(paths["subunit"], "rb") as stream:
            converted = subprocess.run(["subunit2junitxml"], stdin=stream, capture_output=True, check=False)
        theirs = xml.etree.ElementTree.fromstring(converted.stdout)
        assert (theirs.get("tests"), theirs.get("failures")) == (root.get("tests"), root.get("failures")), \
            converted.stdout[:300]


def test_report_on_stdout():
    """A report named - has stdout for itself"""
    for option in ("--junit", "--tap", "--json"):
        done = subprocess.run(hearth_run(option, "-", programs["behaviours_googletest"], "--", r"Verdict\.Passes$"),
                              capture_output=True, check=True, text=True, timeout=PATIENCE)
        assert "1 passed in" in done.stderr and "1 passed in" not in done.stdout, done
        if option == "--junit":
            check_junit(xml.etree.ElementTree.fromstring(done.stdout))
        elif option == "--tap":
            assert done.stdout.splitlines()[0] == "TAP version 13" and done.stdout.endswith("\n1..1\n"), done.stdout
        else:
            assert [json.loads(line)["event"] for line in done.stdout.splitlines()][-2:] == ["result", "end"]


def test_full_disk():
    """A report on a full disk does not disturb the run; it is named at the end, with exit code 2"""
    for option in ("--junit", "--tap", "--json", "--subunit"):
        done = subprocess.run(hearth_run(option, "/dev/full", programs["behaviours_googletest"], "--",
                                         r"Verdict\.Passes$"), capture_output=True, check=False, text=True,
                              timeout=PATIENCE)
        assert done.returncode == 2, done
        assert "1 passed in" in done.stdout, done
        assert "write the results to /dev/full: No space left on device" in done.stderr, done


if __name__ == "__main__":
    sys.exit(e2e.main())
