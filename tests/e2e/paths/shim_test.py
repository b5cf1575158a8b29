#!/usr/bin/python3
"""The scripted session behind the shim on pipes, and between two of them."""

import signal
import socket
import sys

from parity import check_same, serve, shim  # first: it knows where the others are
import e2e
from e2e import programs
from hearth_client import DEADLINE, Server
from resident import GOODBYE, HELLO, read_all, read_to

# A start script that prints, and goes on printing behind the server's back.
NOISY = """echo 'to stdout'; echo 'to stderr' >&2
for i in 1 2 3 4 5 6 7 8; do echo "tick $i"; echo "tock $i" >&2; sleep 0.02; done &
exec "$@"
"""


def test_pipe():
    """On pipes; nothing but packets is on stdout"""
    check_same([*shim("--"), *serve()])


def test_noise():
    """A start script that prints all the while: in attachments, in order, and the session is the same"""
    def heard(server):
        for name, beginning, word in ("stdout", "to stdout\n", "tick"), ("stderr", "to stderr\n", "tock"):
            said = server.collector.foreign[name].decode()
            assert said.startswith(beginning), (name, said)
            numbers = [line.split()[1] for line in said.splitlines() if line.startswith(word)]
            assert numbers == list("12345678"[:len(numbers)]), (name, said)

    check_same([*shim("--"), "sh", "-c", NOISY, "sh", *serve()], check=heard)


def test_stdin_and_stdout_only():
    """A server that knows only stdin and stdout is proxied; what else is on its stdout comes before it speaks"""
    without = ["env", "-u", "HEARTH_CHANNEL_FD", *serve()]
    check_same([*shim("--"), *without])
    # A line in the middle of a large packet would be the end of that.
    noisy = NOISY.replace('echo "tick $i"; ', "")
    check_same([*shim("--"), "sh", "-c", noisy, "sh", *without])


def test_twice():
    """A shim behind a shim"""
    check_same([*shim("--"), *shim("--"), *serve()])


def where(shim_process):
    """The address that it says, for a socket; and the token."""
    said = shim_process.until(lambda so_far: bytes(so_far.foreign["listening"]), "where it listens").decode()
    address, _, token = said.partition(" token ")
    host, _, port = address.removeprefix("tcp:").rpartition(":")
    return (host, int(port)), token


def caller(address, words):
    made = socket.create_connection(address, timeout=DEADLINE)
    made.sendall(words)
    return made


def test_wrong_tokens():
    """hearth-shim --listen: who has no token, or another, is turned away, and it waits on; SIGTERM ends it"""
    # A server that is silent: nothing else wakes the shim when the client's first words came with the token.
    silent = [Server.hearth, "serve", "--", programs["behaviours_googletest"]]
    with Server(hello=False, command=[*shim("--listen", "tcp:127.0.0.1:0", "--"), *silent]) as listening:
        address, token = where(listening)
        for words in HELLO, b"hearth token " + b"0" * 64 + b"\n" + HELLO:
            with caller(address, words) as turned_away:
                said = read_all(turned_away)
                assert b"token" in said and token.encode() not in said and b"Hello" not in said, said
        listening.until(lambda so_far: len(so_far.errors) == 2, "two complaints")
        with caller(address, f"hearth token {token}\n".encode() + HELLO) as let_in:
            assert b"Hello" in read_to(let_in, b'"Hello"')
            let_in.sendall(GOODBYE)
            assert listening.wait() == 0
    with Server(hello=False, command=[*shim("--listen", "tcp:127.0.0.1:0", "--"), *silent]) as listening:
        where(listening)
        listening.process.terminate()
        assert listening.wait() == 128 + signal.SIGTERM


def test_nobody_listens():
    """hearth-shim --connect where nobody listens: an error in a packet that says so, and exit status 2"""
    with Server(hello=False, command=shim("--connect", "unix:/tmp/nobody/is/here")) as alone:
        assert alone.wait() == 2
        alone.finish_reading()
        assert "/tmp/nobody/is/here" in alone.collector.errors[0], alone.state()


if __name__ == "__main__":
    sys.exit(e2e.main())
