#!/usr/bin/python3
"""The scripted session over networks that delay and lose: the real one of the kernel, where it has it, and a proxy."""

import contextlib
import os
import subprocess
import sys

from parity import HERE, check_same, program_paths  # first: it knows where the others are
import e2e
import session
from resident import Resident

SUPPORT = os.path.join(HERE, "..", "..", "support")
JOIN = os.path.join(SUPPORT, "join.py")
PROXY = os.path.join(SUPPORT, "delaying_proxy.py")
# In a network namespace of its own, a loopback that is slow and loses one packet in a hundred.
NETEM = """ip link set lo up && tc qdisc add dev lo root netem delay 5ms 2ms loss 1% && exec "$@" """


@contextlib.contextmanager
def proxy(target, *options):
    """Its address."""
    with subprocess.Popen([sys.executable, PROXY, "tcp:127.0.0.1:0", target, *options], stdout=subprocess.PIPE,
                          text=True) as process:
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


def test_proxy():
    """TCP through a proxy that delays, cuts into pieces, and lets losses hold up what follows"""
    with Resident(*program_paths(), address="tcp:127.0.0.1:0", options=session.FEW_JOBS) as server, \
            proxy(server.address, "--delay", "5", "--loss", "2") as address:
        check_same([sys.executable, JOIN, address, server.token_file()], exit_status=False)


def test_netem():
    """TCP in a network namespace with delay and loss by tc netem"""
    in_namespace = ["unshare", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"]), "--net", "sh", "-c", NETEM,
                    "sh"]
    tried = subprocess.run([*in_namespace, "true"], capture_output=True, text=True, check=False)
    if tried.returncode != 0:
        raise e2e.Skip(f"no netem here: {tried.stderr.strip()}")
    with Resident(*program_paths(), address="tcp:127.0.0.1:0", options=session.FEW_JOBS, within=in_namespace) as server:
        inside = ["nsenter", "--target", str(server.server_pid()), "--net", *([] if os.geteuid() == 0 else [
            "--user", "--preserve-credentials"])]
        check_same([*inside, sys.executable, JOIN, server.address, server.token_file()], exit_status=False)


if __name__ == "__main__":
    sys.exit(e2e.main())
