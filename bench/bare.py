"""A server alone, for the benchmarks: a client that only asks and waits, and looks at bytes, so that it costs nothing."""

import json
import os
import struct
import subprocess
import sys
import time
import zlib


def number(value):
    """Subunit v2's variable-length number."""
    for length in range(4):
        if value < 1 << (8 * length + 6):
            return (value | length << (8 * length + 6)).to_bytes(length + 1, "big")
    raise ValueError(value)


def counted(data):
    return number(len(data)) + data


def message(**fields):
    """An RPC message as a packet: version 2, with a test id, a MIME type, a file, and its end."""
    body = counted(b"testrepository-rpc") + counted(b"application/json") + counted(b"message")
    body += counted(json.dumps(fields).encode())
    flags = 0x2000 | 0x0800 | 0x0020 | 0x0040 | 0x0010
    length = 3 + len(body) + 4
    length += next(width for width in (1, 2, 3) if length + width < 1 << (8 * width - 2))
    packet = b"\xb3" + struct.pack(">H", flags) + number(length) + body
    return packet + struct.pack(">I", zlib.crc32(packet))


class Bare:
    """A server, and what it says as bytes."""

    def __init__(self, *command):
        self.started = time.monotonic()
        self.started_at = time.time()
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.DEVNULL, bufsize=0)
        self.said = b""

    def send(self, **fields):
        self.write(message(**fields))

    def write(self, data):
        while data:
            data = data[self.process.stdin.write(data) :]

    def wait_for(self, what, keep=64):
        """Seconds from the start until `what` was read."""
        while what not in self.said:
            self.said = self.said[-keep:] if keep else self.said
            data = os.read(self.process.stdout.fileno(), 1 << 20)
            if not data:
                sys.exit(f"{sys.argv[0]}: the server ended")
            self.said += data
        return time.monotonic() - self.started

    def leave(self):
        """Seconds from the start until the server was gone."""
        self.send(msg="Goodbye")
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        return time.monotonic() - self.started
