#!/usr/bin/python3
"""The scripted session with a server that stays: over its Unix socket and its TCP port, with each of those that join."""

import os
import signal
import sys
import tempfile
import uuid

from parity import HERE, attach, check_same, program_paths, serve_arguments, shim  # first: it knows where the others are
import e2e
import session
from hearth_client import MARK, await_that, children_of, marked
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


def roots(mark):
    """Of those that carry the mark, the ones whose parent does not. Also an orphan's, while its end is under way."""
    return [pid for pid in marked(mark) if not any(pid in children_of(other) for other in marked(mark))]


def the_root(mark):
    """The one server that is there, after whatever a session has left to end."""
    await_that(lambda: len(roots(mark)) == 1, "there being one server")
    [server] = roots(mark)
    return server


def test_start():
    """hearth attach --start: the first session starts the server, all others find it"""
    mark = uuid.uuid4().hex  # not the session's: the server is to outlive that
    with tempfile.TemporaryDirectory(prefix="hearth-start-") as folder:
        line = ["env", f"{MARK}={mark}", *attach("--start", f"unix:{folder}/own/socket", "--", *serve_arguments())]
        try:
            check_same(line)
            started = the_root(mark)
            check_same(line)
            assert the_root(mark) == started
        finally:
            for pid in roots(mark):
                os.kill(pid, signal.SIGTERM)
            await_that(lambda: not marked(mark), "the end of the server")


if __name__ == "__main__":
    sys.exit(e2e.main())
