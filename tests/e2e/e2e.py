"""The end-to-end tests' frame: functions called test_*, one line of TAP each, and a folder to meet programs in.

Usage of a test file: FILE_test.py HEARTH PROGRAM... [-- NAME...]; only the tests whose names have one of NAME in them.
"""

import contextlib
import itertools
import os
import shutil
import signal
import socket
import sys
import tempfile
import traceback

import hearth_client

programs = {}  # by name


_ports = itertools.count(os.getpid() * 37)
_claims = []  # sockets whose names tell other processes of tests which ports are taken


def free_port():
    """A TCP port of 127.0.0.1 that nobody has, that the kernel gives to nobody who asks for any, and other tests to nobody."""
    while True:
        port = 20_000 + next(_ports) % 12_000
        claim = socket.socket(socket.AF_UNIX)
        with socket.socket() as one, contextlib.suppress(OSError):
            claim.bind(f"\0hearth-e2e-port-{port}")
            one.bind(("127.0.0.1", port))
            _claims.append(claim)
            return port
        claim.close()


class Skip(Exception):
    """A test cannot be made here; says why."""


class Folder:
    """Where the tests of programs/faults.cpp meet the tests here: they leave files in it, and wait at gates."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="hearth-e2e-")
        self.options = ("--env", f"FAULTS_DIR={self.path}")
        self.m_gates = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for gate in self.m_gates.values():
            os.close(gate)
        shutil.rmtree(self.path, ignore_errors=True)

    def make_gate(self, name):
        """Before the program comes to it."""
        path = os.path.join(self.path, name)
        os.mkfifo(path)
        self.m_gates[name] = os.open(path, os.O_RDWR)

    def open_gate(self, name, passers=1):
        os.write(self.m_gates[name], b"." * passers)

    def lines(self, name):
        """Lines that programs have written to the file so far."""
        try:
            with open(os.path.join(self.path, name), encoding="utf-8") as file:
                return file.read().split("\n")[:-1]
        except FileNotFoundError:
            return []

    def await_lines(self, name, count=1):
        return hearth_client.await_that(lambda: len(self.lines(name)) >= count and self.lines(name),
                                        f"{count} line(s) in {name}")


def _tests(module, names):
    found = [(name, test) for name, test in vars(module).items() if name.startswith("test_")]
    return [(name, test) for name, test in found if not names or any(one in name for one in names)]


def main():
    """Runs the tests of the file that calls it."""
    arguments, _, names = "\0".join(sys.argv[1:]).partition("\0--\0")
    # As at a terminal, also under nohup and in the background.
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Absolute: tests change the directory.
    hearth_client.Server.hearth, *paths = map(os.path.abspath, arguments.split("\0"))
    programs.update((os.path.basename(path), path) for path in paths)
    tests = _tests(sys.modules["__main__"], names.split("\0") if names else [])
    print(f"1..{len(tests)}", flush=True)
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        title = (test.__doc__ or name).strip().splitlines()[0].rstrip(".")
        try:
            test()
            print(f"ok {number} - {title}", flush=True)
        except Skip as why:
            print(f"ok {number} - {title} # SKIP {why}", flush=True)
        except Exception:  # the next tests are to run
            failed += 1
            print(f"not ok {number} - {title}", flush=True)
            for line in f"{name}\n{traceback.format_exc()}".splitlines():
                print(f"# {line[:4000]}", flush=True)
    return 1 if failed else 0
