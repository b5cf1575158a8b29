#!/usr/bin/python3
"""The scripted session through OpenSSH's sshd, with a banner and a login that prints."""

import contextlib
import shlex
import sys

from parity import check_same, serve, shim  # first: it knows where the others are
import e2e
import throwaway_sshd


@contextlib.contextmanager
def sshd():
    try:
        with throwaway_sshd.Sshd() as server:
            yield server
    except throwaway_sshd.Unavailable as why:
        raise e2e.Skip(why) from None


def greeted(server):
    """The noise was there, outside the packets, and none of it is in the session."""
    assert throwaway_sshd.GREETING in server.foreign, (server.foreign, server.stderr())
    assert throwaway_sshd.BANNER in server.stderr() and "last login" in server.stderr(), server.stderr()


def test_plain():
    """ssh running the server itself"""
    with sshd() as host:
        check_same([*host.ssh, shlex.join(serve())], noisy=True, check=greeted)


def test_shim():
    """ssh running the server behind the shim"""
    with sshd() as host:
        check_same([*host.ssh, shlex.join([*shim("--"), *serve()])], noisy=True, check=greeted)


if __name__ == "__main__":
    sys.exit(e2e.main())
