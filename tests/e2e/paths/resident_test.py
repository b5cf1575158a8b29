#!/usr/bin/python3
"""The scripted session with a server that stays: over its Unix socket and its TCP port, with each of those that join."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import uuid

from parity import HERE, attach, check_same, program_paths, serve_arguments, shim  # first: it knows where the others are
import e2e
import session
from hearth_client import MARK, Server, await_that, marked, signal_all
from resident import Resident

JOIN = os.path.join(HERE, "..", "..", "support", "join.py")
ADDRESSES = {"unix": "unix:{folder}/socket", "tcp": "tcp:127.0.0.1:0"}


def resident(kind):
    return Resident(*program_paths(), address=ADDRESSES[kind], options=session.FEW_JOBS)


def test_socket():
    """Nothing of ours between: a Unix socket; TCP with a token. A server that has served is as one that has not"""
    for kind in ADDRESSES:
        with resident(kind) as server:
            line = [sys.executable, JOIN, server.address, *([server.token_file()] if kind == "tcp" else [])]
            check_same(line, exit_status=False)
            warm = server.holdings()
            check_same(line, exit_status=False)
            server.await_holdings(warm)


def check_joined(command):
    """Over the Unix socket as it is; over TCP the token's file has to be named, as it is not where it is looked for."""
    for kind in ADDRESSES:
        with resident(kind) as server:
            check_same([*command, server.address, *(["--token-file", server.token_file()] if kind == "tcp" else [])])


def test_attach():
    """hearth attach: a Unix socket; TCP"""
    check_joined(attach())


def test_shim():
    """hearth-shim --connect: a Unix socket; TCP"""
    check_joined(shim("--connect"))


def pid_behind(address):
    return json.loads(subprocess.check_output([Server.hearth, "status", "--json", address]))["pid"]


def test_start():
    """hearth attach --start: the first session starts the server, all others find it"""
    mark = uuid.uuid4().hex  # not the session's: the server is to outlive that
    with tempfile.TemporaryDirectory(prefix="hearth-start-") as folder:
        address = f"unix:{folder}/own/socket"
        line = ["env", f"{MARK}={mark}", *attach("--start", address, "--", *serve_arguments())]
        try:
            check_same(line)
            server = pid_behind(address)
            check_same(line)
            assert pid_behind(address) == server
            os.kill(server, signal.SIGTERM)
            await_that(lambda: not marked(mark), "the end of the server")
        finally:
            signal_all(marked(mark), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(e2e.main())
