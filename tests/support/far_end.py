#!/usr/bin/python3
"""The far end of a tunnel as hearth-shim is one, with none of our code: runs a server on a socket.

far_end.py --listen ADDRESS -- SERVER...                 announces where it listens, and takes one client
far_end.py --connect ADDRESS [TOKEN-FILE] -- SERVER...   connects to one
"""

import os
import socket
import subprocess
import sys

import subunit

from join import connect

TOKEN = "0123456789abcdef" * 4


def listen(address):
    scheme, _, place = address.partition(":")
    announced = address
    if scheme == "unix":
        os.makedirs(os.path.dirname(place), 0o700, exist_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(place)
    else:
        host, _, port = place.partition(":")
        listener = socket.create_server((host, int(port)))
        announced += f" token {TOKEN}"
    listener.listen()
    subunit.StreamResultToBytes(sys.stdout.buffer).status(
        test_id="testrepository-rpc", file_name="listening", file_bytes=announced.encode(), eof=True,
        mime_type="text/plain;charset=utf8")
    sys.stdout.flush()
    connection, _ = listener.accept()
    if scheme == "unix":
        os.unlink(place)
    else:
        line = f"hearth token {TOKEN}\n".encode()
        assert connection.recv(len(line), socket.MSG_WAITALL) == line
    return connection


def main():
    how, *words = sys.argv[1:]
    dashes = words.index("--")
    connection = {"--listen": listen, "--connect": connect}[how](*words[:dashes])
    connection.setblocking(True)
    return subprocess.run(words[dashes + 1:], stdin=connection, stdout=connection).returncode


if __name__ == "__main__":
    sys.exit(main())
