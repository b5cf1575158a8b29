#!/usr/bin/python3
"""hearth-shim over connections: --connect and --listen, with and without a server of its own."""

import contextlib
import os
import socket
import stat
import subprocess
import sys
import tempfile

import e2e
import resident
from hearth_client import DEADLINE, Server
from shim_test import GOODBYE, HELLO, PYTHON, SHIMMED, end, foreign, run_message, shim


@contextlib.contextmanager
def runtime_folder():
    """A folder for sockets and tokens, with the variable that says so."""
    with tempfile.TemporaryDirectory(prefix="hearth-shim-") as folder:
        yield folder, {"XDG_RUNTIME_DIR": folder}


@contextlib.contextmanager
def listener_in(folder):
    with socket.socket(socket.AF_UNIX) as listener:
        listener.settimeout(DEADLINE)
        listener.bind(f"{folder}/socket")
        listener.listen()
        yield listener


def listening(server):
    """Where it says that it listens, in words."""
    return server.until(lambda so_far: bytes(so_far.foreign["listening"]).decode(), "the address").split()


def told(address, first):
    """What one is told who connects to a TCP address with these first bytes."""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])), DEADLINE) as connection:
        connection.sendall(first)
        connection.shutdown(socket.SHUT_WR)
        said = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(4096):
                said += piece
        return said


def test_connect():
    """--connect joins a resident server, which stays"""
    for address in "unix:{folder}/socket", "tcp:127.0.0.1:0":
        with resident.Resident(e2e.programs["helped"], address=address) as server:
            environment = {"XDG_RUNTIME_DIR": server.folder}
            for _ in range(2):
                with Server(command=shim("--connect", server.address), env=environment) as client:
                    assert client.list() and client.goodbye() == 0, client.state()
            with Server(command=shim("--connect", server.address), env=environment) as client:
                client.list()
                client.process.stdin.close()
                assert end(client) == 1 and not client.collector.errors, client.state()


def test_connect_to_nobody():
    """--connect where nobody listens: an error that says so"""
    with runtime_folder() as (folder, environment):
        for address in f"unix:{folder}/none", "tcp:127.0.0.1:1":
            with Server(command=shim("--connect", address), env=environment, hello=False) as client:
                assert end(client) == 2 and client.collector.errors and client.stderr(), client.state()


def test_connection_lost():
    """A connection that ends before the session is over: an error, and status 1"""
    with runtime_folder() as (folder, environment), listener_in(folder) as listener:
        with Server(command=shim("--connect", f"unix:{folder}/socket"), env=environment) as client:
            connection, _ = listener.accept()
            assert connection.recv(1)
            connection.close()
            assert end(client) == 1, client.state()
            assert any("ended the connection" in error for error in client.collector.errors), client.state()


def test_reverse():
    """--connect with a server: the shim comes to the client"""
    with runtime_folder() as (folder, environment), listener_in(folder) as listener:
        process = subprocess.Popen([*shim("--connect", f"unix:{folder}/socket", "--"), PYTHON, SHIMMED],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **environment})
        connection, _ = listener.accept()
        with connection:
            connection.sendall(HELLO + run_message("print:err:hello") + GOODBYE)
            said = b""
            while piece := connection.recv(65536):
                said += piece
        assert b"hello" in said and b"Done" in said
        assert process.wait(DEADLINE) == 0 and process.stdout.read() == b""
        process.stdout.close()


def test_listen():
    """--listen says where, serves one client, and ends with its server's status"""
    with runtime_folder() as (folder, environment):
        token_file = os.path.join(folder, "token")
        for address, *options in ((f"unix:{folder}/private/socket",),
                                  ("tcp:127.0.0.1:0", "--token-file", token_file)):
            command = [*shim("--listen", address, *options, "--"), PYTHON, SHIMMED]
            with Server(command=command, env=environment, hello=False) as waiting:
                real, *token = listening(waiting)
                if options:
                    assert token[0] == "token" and len(token[1]) == 64, token
                    assert stat.S_IMODE(os.stat(token_file).st_mode) == 0o600
                    for wrong in b"hearth token " + b"0" * 64 + b"\n", HELLO, b"GET / HTTP/1.0\r\n\r\n":
                        assert b"error" in told(real, wrong)
                    waiting.until(lambda so_far: len(so_far.errors) == 3, "three refusals")
                with Server(command=shim("--connect", real, *options), env=environment) as client:
                    client.run("print:out:hello")
                    assert foreign(client, "stdout") == b"hello"
                    assert client.goodbye() == 0
                assert end(waiting) == 0, waiting.state()
                assert not foreign(waiting, "stdout") and not waiting.collector.messages
            assert not os.path.exists(f"{folder}/private/socket")


def test_listen_and_nobody_comes():
    """--listen ends when it is told to, or when nobody reads its stdout any more; the address is its own"""
    with runtime_folder() as (folder, environment):
        command = [*shim("--listen", f"unix:{folder}/private/socket", "--"), PYTHON, SHIMMED]
        with Server(command=command, env=environment, hello=False) as waiting:
            listening(waiting)
            with Server(command=command, env=environment, hello=False) as second:
                assert end(second) == 2 and "listens" in second.stderr(), second.state()
            waiting.process.terminate()
            assert end(waiting) == 143
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   env={**os.environ, **environment})
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait(DEADLINE) == 1


if __name__ == "__main__":
    sys.exit(e2e.main())
