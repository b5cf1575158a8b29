"""A resident server (`hearth serve --listen`), as tests meet it: its address, its token, its processes, and raw
connections to it."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid

from hearth_client import (DEADLINE, MARK, Server, await_that, children_of, command_of, encode_message, marked,
                           memory_of, signal_all)

JOIN = str(pathlib.Path(__file__).resolve().parents[1] / "support" / "join.py")
HELLO = encode_message({"msg": "Hello", "max": 1, "min": 1})
GOODBYE = encode_message({"msg": "Goodbye"})


def run_message(nonce, tests):
    return encode_message({"msg": "Run", "nonce": nonce, "tests": tests})


def list_message(nonce):
    return encode_message({"msg": "List", "nonce": nonce, "tests": []})


class Resident:
    """In a `with`, which also says so if anything of it is left in the end. `address` may use {folder}; `within` is a command
    line that ends in the server's."""

    def __init__(self, *programs, address="unix:{folder}/socket", options=(), within=(), env=None):
        self.folder = tempfile.mkdtemp(prefix="hearth-resident-")
        self.mark = uuid.uuid4().hex
        self.environment = {**os.environ, **(env or {}), "XDG_RUNTIME_DIR": self.folder}
        sanitizer = self.environment.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.m_log = tempfile.TemporaryFile()
        command = [*within, Server.hearth, "serve", "--listen", address.format(folder=self.folder), *options, "--",
                   *map(str, programs)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.m_log,
                                        env={**self.environment, MARK: self.mark, "ASAN_OPTIONS": sanitizer})
        try:
            self.address = self.await_log(r"listening on (\S+)").group(1)
        except AssertionError:
            self.m_remove()
            raise

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        try:
            if self.process.poll() is None:
                self.process.terminate()
                self.process.wait(DEADLINE)
            if kind is None:
                await_that(lambda: not marked(self.mark), "the end of all that the server started")
        finally:
            self.m_remove()

    def m_remove(self):
        for pid in marked(self.mark):
            print(f"# killed: {pid} {command_of(pid)}", flush=True)
            signal_all([pid], signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        self.m_log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    # ---- what it says ------------------------------------------------------------------------------

    def log(self):
        with open(f"/proc/self/fd/{self.m_log.fileno()}", "rb") as written:
            return written.read().decode("utf-8", "replace")

    def await_log(self, pattern):
        def found():
            match = re.search(pattern, self.log())
            assert match or self.process.poll() is None, f"the server ended\n{self.log()}"
            return match
        return await_that(found, f"{pattern!r} in the server's log")

    # ---- connections -------------------------------------------------------------------------------

    def is_unix(self):
        return self.address.startswith("unix:")

    def socket_address(self):
        kind, _, rest = self.address.partition(":")
        return rest if kind == "unix" else (rest.rpartition(":")[0], int(rest.rpartition(":")[2]))

    def token_file(self):
        return os.path.join(self.folder, "hearth", f"tcp-{self.socket_address()[1]}.token")

    def token(self):
        with open(self.token_file(), encoding="ascii") as file:
            return file.read().strip()

    def preface(self):
        return b"" if self.is_unix() else f"hearth token {self.token()}\n".encode()

    def connect(self, preface=None):
        """A connection that has said what it has to; blocking, with the deadline as its time-out."""
        made = socket.socket(socket.AF_UNIX if self.is_unix() else socket.AF_INET)
        made.settimeout(DEADLINE)
        made.connect(self.socket_address())
        if not self.is_unix():
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.sendall(self.preface() if preface is None else preface)
        return made

    def client(self, **options):
        """A session over a connection, by a program that has none of our code."""
        token = [] if self.is_unix() else [self.token_file()]
        return Server(command=[sys.executable, JOIN, self.address, *token], **options)

    def status(self):
        with self.connect() as connection:
            connection.sendall(b"hearth status\n")
            return json.loads(read_all(connection))

    # ---- what it has -------------------------------------------------------------------------------

    def server_pid(self):
        """The process that the keeper keeps."""
        return await_that(lambda: children_of(self.process.pid), "the server's start")[0]

    def holdings(self):
        """What a client may not leave behind."""
        return {"descriptors": len(os.listdir(f"/proc/{self.server_pid()}/fd")), "processes": len(marked(self.mark))}

    def await_holdings(self, expected):
        """Until there is no more than that. (There may be less: a program that cannot be served is tried again and again.)"""
        seen = {}

        def the_same():
            seen.update(self.holdings())
            return all(seen[what] <= count for what, count in expected.items())
        try:
            await_that(the_same, "the end of what clients left")
        except AssertionError as error:
            shown = [(pid, command_of(pid)) for pid in marked(self.mark)][:20]
            raise AssertionError(f"{error}: {seen}, before: {expected}\n{shown}\n{self.log()[-4000:]}") from None

    def memory(self):
        return memory_of(self.server_pid())


def read_to(connection, end):
    """What arrives until `end` has."""
    data = bytearray()
    while end not in data:
        more = connection.recv(1 << 16)
        assert more, f"the server closed before {end!r}: {bytes(data[-500:])!r}"
        data += more
    return bytes(data)


def read_all(connection):
    """What arrives until the server closes; a reset is an end too."""
    data = bytearray()
    try:
        while more := connection.recv(1 << 16):
            data += more
    except ConnectionResetError:
        pass
    return bytes(data)
