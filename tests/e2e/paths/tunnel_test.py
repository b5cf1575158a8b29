#!/usr/bin/python3
"""The scripted session beside ssh: through a port or socket that it forwards, in either direction."""

import contextlib
import os
import shlex
import sys
import tempfile

from parity import attach, check_same, serve, shim  # first: it knows where the others are
import e2e
import throwaway_sshd


class Ends:
    """A machine, and addresses here (`near`) and there (`far`)."""

    def __init__(self, host, near, far):
        self.host, self.near, self.far = host, near, far

    def ssh(self, option, *far_command):
        """The tunnel's command: ssh with the forward, running that at the other end."""
        places = [address.partition(":")[2] for address in (self.near, self.far)]
        forward = ":".join(places if option == "-L" else reversed(places))
        return [*self.host.ssh_with("-o", "ExitOnForwardFailure=yes", "-o", "StreamLocalBindUnlink=yes", option, forward), shlex.join(far_command)]


@contextlib.contextmanager
def ends(kind):
    try:
        with throwaway_sshd.Sshd() as host, tempfile.TemporaryDirectory(prefix="hearth-tunnel-") as folder:
            if kind == "tcp":
                yield Ends(host, *(f"tcp:127.0.0.1:{e2e.free_port()}" for _ in range(2)))
                return
            for name in "near", "far":
                os.mkdir(os.path.join(folder, name), 0o700)
            yield Ends(host, f"unix:{folder}/near/socket", f"unix:{folder}/far/socket")
    except throwaway_sshd.Unavailable as why:
        raise e2e.Skip(why) from None


def greeted(server):
    """What the login printed was shown, and is nowhere else."""
    said = server.stderr()
    assert throwaway_sshd.GREETING.decode() in said and throwaway_sshd.BANNER in said, said


def check_forward(kind):
    with ends(kind) as there:
        far = [*shim("--listen", there.far), "--", *serve()]
        check_same(attach(there.near, "--", *there.ssh("-L", *far)), check=greeted)


def check_reverse(kind):
    with ends(kind) as there, tempfile.TemporaryDirectory(prefix="hearth-token-") as folder:
        token = ["--token-file", f"{folder}/token"] if kind == "tcp" else []
        far = [*shim("--connect", there.far, *token), "--", *serve()]
        check_same(attach("--listen", there.near, *token, "--", *there.ssh("-R", *far)), check=greeted)


def test_forward_unix():
    """hearth attach, ssh -L from a socket to a socket, hearth-shim --listen"""
    check_forward("unix")


def test_forward_tcp():
    """The same from a port to a port, with a token"""
    check_forward("tcp")


def test_reverse_unix():
    """hearth attach --listen, ssh -R from a socket to a socket, hearth-shim --connect"""
    check_reverse("unix")


def test_reverse_tcp():
    """The same from a port to a port, with a token"""
    check_reverse("tcp")


if __name__ == "__main__":
    sys.exit(e2e.main())
