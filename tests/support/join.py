#!/usr/bin/python3
"""Joins stdin and stdout to a Unix socket, or to a TCP port of this machine with `TOKEN-FILE`: join.py ADDRESS [TOKEN-FILE].
What a client of a resident server does, with none of our code."""

import os
import socket
import sys
import threading


def connect(address, token_file=None):
    scheme, _, place = address.partition(":")
    if scheme == "unix":
        connection = socket.socket(socket.AF_UNIX)
        folder = os.open(os.path.dirname(os.path.abspath(place)), os.O_PATH)  # a name has room for 107 bytes
        connection.connect(f"/proc/self/fd/{folder}/{os.path.basename(place)}")
        os.close(folder)
    else:
        host, _, port = place.partition(":")
        connection = socket.create_connection((host, int(port)))
    if token_file:
        with open(token_file, encoding="ascii") as file:
            connection.sendall(f"hearth token {file.read().strip()}\n".encode())
    return connection


def send(connection):
    while data := os.read(0, 65536):
        connection.sendall(data)
    connection.shutdown(socket.SHUT_WR)


def main():
    with connect(*sys.argv[1:]) as connection:
        threading.Thread(target=send, args=(connection,), daemon=True).start()
        while data := connection.recv(65536):
            while data:
                data = data[os.write(1, data):]
    os._exit(0)


if __name__ == "__main__":
    main()
