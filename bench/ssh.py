#!/usr/bin/python3
"""Throughput of a server behind OpenSSH's sshd on loopback, and behind the shim, beside the same server on pipes.

    ssh.py HEARTH HEARTH-SHIM MANY_10000 [ROUNDS]

Taken turn by turn: from the Run of 10,000 trivial tests to its Done, in a session that is open and warm. What counts are
the ratios; required is the bound of docs/performance.md. Exit code 1 where it is missed.
"""

import os
import shlex
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "support"))

import throwaway_sshd  # noqa: E402
from bare import Bare  # noqa: E402

HEARTH, SHIM, MANY = map(os.path.abspath, sys.argv[1:4])
ROUNDS = int(sys.argv[4]) if len(sys.argv) > 4 else 5
REQUIRED = 0.8


def seconds(command):
    """From Run to Done."""
    server = Bare(*command)
    server.send(msg="Hello", min=1, max=1)
    server.send(msg="List", nonce="l")
    server.wait_for(b'"Done"')  # loaded
    server.said = b""
    begin = time.monotonic()
    server.send(msg="Run", nonce="n")
    server.wait_for(b'"Done"')
    taken = time.monotonic() - begin
    server.leave()
    return taken


def main():
    serve = [HEARTH, "serve", MANY]
    try:
        with throwaway_sshd.Sshd() as host:
            ways = {"directly": serve, "through ssh": [*host.ssh, shlex.join(serve)],
                    "through ssh, behind the shim": [*host.ssh, shlex.join([SHIM, "--", *serve])]}
            taken = {name: [] for name in ways}
            for _ in range(ROUNDS):
                for name, command in ways.items():
                    taken[name].append(seconds(command))
    except throwaway_sshd.Unavailable as why:
        print(f"not measured: {why}")
        return 0
    missed = 0
    direct = taken.pop("directly")
    print(f"throughput of 10,000 trivial tests, over that on pipes ({statistics.median(direct):.2f} s)")
    for name, others in taken.items():
        ratio = statistics.median(ours / theirs for ours, theirs in zip(direct, others))
        missed += ratio < REQUIRED
        print(f"  {name}: {ratio:.2f} (required: {REQUIRED}){'  MISSED' if ratio < REQUIRED else ''}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
