#!/usr/bin/python3
"""Many clients of one resident server, and bad ones: all right results, and nothing is left of those that went.

$HEARTH_E2E_LOAD scales the numbers: sanitizer builds take a part of them."""

import asyncio
import contextlib
import io
import os
import random
import resource
import subprocess
import sys

import subunit.v2

import e2e
from e2e import Skip, programs
from hearth_client import MARK, Collector, Packet, _Reader
from resident import GOODBYE, HELLO, Resident, list_message, read_all, read_to, run_message

SCALE = float(os.environ.get("HEARTH_E2E_LOAD", "1"))
CLIENTS = int(500 * SCALE)
KILLED = int(1000 * SCALE)
WAVE = 40  # of those to be killed, at once
MIB = 1 << 20

OPTIONS = ("--jobs", "8", "--grace", "0.2")
VERDICTS = {
    "Verdict.Passes": "success", "Verdict.FailsWithMessage": "fail", "Verdict.Skips": "skip", "End.Segfaults": "fail",
    "Output.PrintsAndFails": "fail", "Verdict.RecordsProperties": "success", "Output.PrintsPackets": "success",
}
IDS = [f"behaviours_googletest.{name}" for name in VERDICTS]
STATUSES = dict(zip(IDS, VERDICTS.values()))
HANGS = "behaviours_googletest.End.IgnoresTermForever"
UNKNOWN = "nothing.Of.this name"


def resident(**options):
    return Resident(programs["behaviours_googletest"], programs["faults"], options=OPTIONS, **options)


def raise_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < 4 * CLIENTS:
        raise Skip(f"{hard} descriptors are too few for {CLIENTS} clients")


class Parsed:
    """What a client read, taken apart by python-subunit."""

    def __init__(self, data):
        self.collector = Collector()
        source = io.BytesIO(data)
        subunit.v2.ByteStreamToStreamResult(source, non_subunit_name="(foreign)").run(_Reader(self))

    def arrived(self, packet: Packet):
        self.collector.take(packet._replace(id=None) if packet.file == "(foreign)" else packet)


def check_result(data, tests, nonce):
    collector = Parsed(data).collector
    expected = {test: STATUSES.get(test, "fail") for test in tests}
    assert not collector.faults and not collector.errors, (collector.faults, collector.errors)
    assert collector.statuses() == expected, (collector.statuses(), expected)
    assert {"msg": "Done", "nonce": nonce} in collector.messages, collector.messages


def still_answers(server):
    """A client that comes now is served."""
    with server.connect() as connection:
        connection.sendall(HELLO + run_message("after", IDS[:2]))
        data = read_to(connection, b'"after"')
        connection.sendall(GOODBYE)
        check_result(data + read_all(connection), IDS[:2], "after")


# ---- many at once -----------------------------------------------------------------------------------


async def one_client(server, number, everybody):
    tests = [IDS[number % len(IDS)], IDS[(number * 3 + 1) % len(IDS)], UNKNOWN]
    nonce = f"client {number}"
    reader, writer = await asyncio.open_unix_connection(server.socket_address())
    try:
        await everybody.joined()
        writer.write(HELLO + run_message(nonce, tests))
        data = bytearray()
        while nonce.encode() not in data:
            more = await reader.read(1 << 16)
            assert more, f"client {number}: the server closed: {bytes(data[-500:])!r}"
            data += more
        await everybody.joined()  # nobody leaves before all are served
        writer.write(GOODBYE)
        data += await reader.read()
    finally:
        writer.close()
    return bytes(data), list(dict.fromkeys(tests)), nonce


class Everybody:
    """A barrier (Python has one from 3.11 on)."""

    def __init__(self, count):
        self.m_count = count
        self.m_waiting = []

    async def joined(self):
        waits = asyncio.get_running_loop().create_future()
        self.m_waiting.append(waits)
        if len(self.m_waiting) == self.m_count:
            waiting, self.m_waiting = self.m_waiting, []
            for one in waiting:
                one.set_result(None)
        await waits


async def clients(server, count):
    everybody = Everybody(count)
    return await asyncio.gather(*(one_client(server, number, everybody) for number in range(count)))


def run_clients(server, count):
    for data, tests, nonce in asyncio.run(clients(server, count)):
        check_result(data, tests, nonce)


# ---- killed ones ------------------------------------------------------------------------------------


class Victim:
    """A client in a process of its own, or, where there is no shim to be one, a connection that breaks off."""

    async def start(self, server):
        self.process = None
        if "hearth-shim" in programs:
            self.process = await asyncio.create_subprocess_exec(
                programs["hearth-shim"], "--connect", server.address, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                env={**os.environ, MARK: server.mark})  # what is left of it is counted with the server's
            self.reader, self.writer = self.process.stdout, self.process.stdin
        else:
            self.reader, self.writer = await asyncio.open_unix_connection(server.socket_address())
        return self

    async def kill(self):
        if self.process is None:
            self.writer.transport.abort()
        else:
            self.process.kill()
            await self.process.wait()


async def kill_at_a_moment(server, dice):
    """A part of a session, up to some byte that it writes or reads, or for some time while a test hangs."""
    script = HELLO + list_message("l") + run_message("r", dice.sample(IDS, 2))
    victim = await Victim().start(server)
    moment = dice.choice(["while it writes", "while it reads", "some time"])
    if moment == "while it writes":
        victim.writer.write(script[:dice.randint(0, len(script))])
        await victim.writer.drain()
    elif moment == "while it reads":
        victim.writer.write(script)
        await victim.reader.readexactly(dice.randint(1, 400))
    else:
        victim.writer.write(script + run_message("h", [HANGS]))
        await asyncio.sleep(dice.uniform(0, 0.05))
    await victim.kill()


async def kill_clients(server, count, seed):
    """So many, a wave of them at a time."""
    async def one_after_the_other(numbers):
        for number in numbers:
            await kill_at_a_moment(server, random.Random(f"{seed}/{number}"))

    await asyncio.gather(*(one_after_the_other(range(first, count, WAVE)) for first in range(WAVE)))


def test_load():
    """Hundreds of clients at once, then a thousand killed at random moments: all right, and nothing left"""
    raise_limit()
    seed = os.environ.get("HEARTH_E2E_SEED", "1")
    with resident() as server:
        still_answers(server)
        empty = server.holdings()
        run_clients(server, CLIENTS)  # what the server grows to
        server.await_holdings(empty)
        memory = server.memory()
        run_clients(server, CLIENTS)
        asyncio.run(kill_clients(server, KILLED, seed))
        server.await_holdings(empty)
        still_answers(server)
        server.await_holdings(empty)
        grown = server.memory() - memory
        print(f"# memory {memory / MIB:.1f} MiB, then {grown / MIB:+.1f} MiB", flush=True)
        assert grown < 16 * MIB, f"{grown} bytes more, after {memory}"
        assert server.process.poll() is None


# ---- bad input --------------------------------------------------------------------------------------


def each_address(*addresses):
    for address in addresses or ("unix:{folder}/socket", "tcp:127.0.0.1:0"):
        with resident(address=address) as server:
            still_answers(server)
            empty = server.holdings()
            yield server
            still_answers(server)
            server.await_holdings(empty)


def test_half_open():
    """Connections that say nothing, or half a word, keep nobody waiting; and end with their clients"""
    for server in each_address():
        idle = [server.connect(preface) for preface in (None, b"", b"hearth tok") for _ in range(30)]
        for connection in idle[:10]:
            connection.sendall(HELLO[:20])
        still_answers(server)
        for connection in idle:
            connection.close()


def test_half_closed():
    """A client that closes its half at once is served to the end of file: its session ends"""
    for server in each_address():
        with server.connect() as connection:
            connection.sendall(HELLO)
            connection.shutdown(1)
            assert b"Hello" in read_all(connection)


def test_does_not_read():
    """A peer that stops reading slows down nobody else, and costs a bounded amount of memory"""
    for server in each_address():
        before = server.memory()
        with server.connect() as connection:
            connection.sendall(HELLO + run_message("n", ["faults.Output.Prints1Megabyte"] * 30))
            for _ in range(5):
                still_answers(server)
            grown = server.memory() - before
            assert grown < 64 * MIB, f"{grown} bytes more"


def test_byte_by_byte():
    """One byte at a time"""
    for server in each_address():
        with server.connect(b"") as connection:
            for byte in server.preface() + HELLO + run_message("slow", IDS[:1]):
                connection.sendall(bytes([byte]))
            data = read_to(connection, b'"slow"')
            connection.sendall(GOODBYE)
            check_result(data + read_all(connection), IDS[:1], "slow")


BANNER = b"".join(b"%04d: all work and no play makes a long banner\r\n" % line for line in range(1400))


def test_banner():
    """64 KiB of banner before the packets: one error that says so, then an answer"""
    assert len(BANNER) > 1 << 16
    for server in each_address():
        with server.connect() as connection:
            connection.sendall(BANNER + HELLO + list_message("behind"))
            read = Parsed(read_to(connection, b'"behind"')).collector
            assert len(read.errors) == 1 and not read.faults, (read.errors, read.faults)


def refused(server, preface, log):
    """Such a beginning is answered with an error, and the connection is closed; the log has a line."""
    before = len(server.log())
    with server.connect(preface) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(HELLO + list_message("never"))
        read = Parsed(read_all(connection)).collector
        assert not read.messages and not read.faults, (preface, read.messages, read.faults)
        assert len(read.errors) == 1 and "token" in read.errors[0], (preface, read.errors)
    server.await_log(f"(?s).{{{before}}}.*{log}")


def test_tokens():
    """TCP: a wrong token, none, one too short or too long, and a banner in its place are refused and logged"""
    for server in each_address("tcp:127.0.0.1:0"):
        token = server.token()
        first, last = ("1" if digit == "0" else "0" for digit in (token[0], token[-1]))
        wrong = [b"", f"hearth token {first}{token[1:]}\n".encode(), f"hearth token {token[:-1]}{last}\n".encode(),
                 f"hearth token {token[:-1]}\n".encode(), f"hearth token {token}0\n".encode(), b"hearth token \n",
                 f"token {token}\n".encode(), b"\n", BANNER]
        for preface in wrong:
            refused(server, preface, "token")


def as_nobody(server):
    """What a connection of the user nobody hears, and whether there was one."""
    program = ("import os, socket, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
               "s = socket.socket(socket.AF_UNIX); s.settimeout(60)\n"
               "s.connect(sys.argv[1]); sys.stderr.write('connected')\n"
               "try: s.sendall(bytes.fromhex(sys.argv[2])); print(s.recv(65536))\n"
               "except OSError as error: print(error)")
    return subprocess.run([sys.executable, "-c", program, server.socket_address(), HELLO.hex()], capture_output=True,
                          text=True, timeout=120, check=False)


def test_other_user():
    """Unix: another user does not come in; nor where the folder and the socket have been opened to all"""
    if os.geteuid() != 0:
        raise Skip("only root can be another user")
    for server in each_address("unix:{folder}/socket"):
        assert "PermissionError" in as_nobody(server).stderr
        os.chmod(server.folder, 0o755)
        os.chmod(server.socket_address(), 0o666)
        seen = as_nobody(server)
        assert seen.stderr == "connected" and "msg" not in seen.stdout, seen
        server.await_log("uid 65534|user 65534|nobody")
        os.chmod(server.folder, 0o700)


if __name__ == "__main__":
    sys.exit(e2e.main())
