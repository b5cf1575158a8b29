#!/usr/bin/python3
"""Clients that send what they should not. The session survives, says what was wrong, and answers what comes behind."""

import json
import os
import random
import struct
import sys

import e2e
from e2e import programs
from hearth_client import RPC_ID, Server, encode, encode_message, memory_of

TEST = "faults.Leaves.Nothing"


def hostile(*options, **more):
    return Server(programs["faults"], options=options, **more)


def check_alive(server, errors=None):
    """Both commands are answered; `errors`: how many errors have come before."""
    server.until_done(server.ask_list([TEST]))
    if errors is not None:
        assert len(server.collector.errors) == errors, server.state()
    assert server.run(TEST).of(TEST).status == "success"
    assert server.goodbye() == 0


def test_hostile_programs():
    """Programs at odds with the worker channel: every test gets a final status, and those of others are unaffected"""
    zygote = os.path.join(os.path.dirname(os.path.abspath(__file__)), "programs", "hostile_zygote.py")
    odd = [f"odd{seed}={sys.executable} {zygote} {seed}" for seed in (0, 3, 4, 10, 13, 19)]
    # What is never answered costs a time limit: their own, or a suite's; the good program is far from it.
    limits = ("--jobs", "40", "--timeout", "4", "--grace", "0.1", "--load-timeout", "10")
    for isolation in "process", "none":
        with Server(*odd, programs["faults"], options=(*limits, "--isolation", isolation)) as server:
            ids = server.list()
            assert len(ids) > 8, server.state()
            asked = [test_id for test_id in ids if test_id.startswith("odd")]
            results = server.run(*asked, TEST)
            assert results.of(TEST).status == "success", server.state()
            statuses = results.statuses()
            assert set(asked) < set(statuses), server.state()
            assert all(status in ("success", "fail", "skip", "xfail", "uxsuccess") for status in statuses.values()), statuses
            assert server.goodbye() == 0
            assert not server.wait_for_no_process()


def test_random_bytes():
    """Random bytes between packets cost one error for each gap"""
    chance = random.Random(7)
    with hostile() as server:
        for size in (1, 10, 1000, 100_000):
            server.send_bytes(bytes(chance.choice(b"abcdefghijk \n") for _ in range(size)))
            server.until_done(server.ask_list([]))
        assert len(server.collector.errors) == 4, server.state()
        for size in (1000, 100_000, 1_000_000):
            server.send_bytes(chance.randbytes(size))
            server.send_bytes(b"\n" * (5 << 20))  # longer than any packet that the noise could begin
        check_alive(server)


def test_damaged_packets():
    """Damaged and truncated packets cost errors, and reading goes on behind them"""
    good = encode_message({"msg": "List", "nonce": "n", "tests": []})
    chance = random.Random(11)
    with hostile() as server:
        for _ in range(200):
            bad = bytearray(good)
            at = chance.randrange(4, len(bad))
            bad[at] ^= 1 << chance.randrange(8)
            server.send_bytes(bytes(bad))
        for size in range(1, len(good)):
            server.send_bytes(good[:size])
        for _ in range(20_000):  # what a cut-off packet claims is filled
            server.send_bytes(good)
        assert server.until(lambda so_far: so_far.errors, "errors")
        check_alive(server)


def test_huge_lengths():
    """Packets that claim huge lengths, wholes and pieces"""
    def claim(length, flags=0x2801):
        return b"\xb3" + struct.pack(">HI", flags, 0xC0000000 | length)[:6]

    with hostile() as server:
        for length in (4 << 20, (4 << 20) - 1, 0x3FFFFFFF, 0):
            server.send_bytes(claim(length) + b"x" * 100)
            server.send_bytes(b"\n" * (5 << 20))
        check_alive(server)


def test_bad_json():
    """Bad JSON, deep nesting, wrong types: an error each, and Done where there is a nonce"""
    bad = [b"{", b"}", b"[]", b"null", b"\xff\xfe", b"{\"msg\": \"List\"", b"{'msg': 'List'}", b"[" * 100_000,
           b'{"a":' * 100_000, "{“msg”: “List”}".encode(), b'{"msg": "\\ud800", "nonce": "n"}', b"", b" "]
    with hostile() as server:
        for text in bad:
            server.send(text)
        server.send({"msg": "List"})
        server.send({"msg": "Run", "nonce": 7})
        server.send({"nonce": "n"})
        server.send({"msg": "Stop", "nonce": "n"})
        server.send({"msg": "Done", "nonce": "n"})
        server.send({"msg": 5})
        for number, tests in enumerate((None, 5, "id", {}, [1], [None], [["id"]])):
            server.send({"msg": "Run", "nonce": f"wrong-{number}", "tests": tests})
        server.send({"msg": "Run", "nonce": "deep", "tests": [], "x": json.loads("[" * 40 + "]" * 40)})
        server.send('{"msg": "Run", "nonce": "twice", "tests": [], "tests": []}')
        server.until_done(*(f"wrong-{number}" for number in range(7)), "deep", "twice")
        assert not server.collector.results
        check_alive(server)


def test_unfinished_message():
    """A message that is never completed hinders no later one"""
    with hostile() as server:
        server.send_bytes(encode(test_id=RPC_ID, file_name="message", mime_type="application/json",
                                 file_bytes=b'{"msg": "List", "nonce"', eof=True))
        server.send_bytes(encode(test_id=RPC_ID, file_name="message", mime_type="application/json",
                                 file_bytes=b'{"msg": "List" "nonce"'))
        check_alive(server)


def test_order():
    """Commands before Hello, a second Hello"""
    with hostile(hello=False) as server:
        server.ask_list()
        server.ask_run()
        server.until(lambda so_far: len(so_far.errors) == 2, "two errors")
        assert not server.collector.messages
        server.hello()
        server.until(lambda so_far: so_far.messages, "Hello")
        server.hello()
        check_alive(server, errors=3)


def test_versions():
    """Versions without one in common: Hello, the reason on stderr, exit status not 0"""
    with hostile(hello=False) as server:
        server.send({"msg": "Hello", "max": 9, "min": 7})
        assert server.wait() == 2
        server.finish_reading()
        assert server.collector.messages == [{"msg": "Hello", "max": 1, "min": 1}]
        assert "versions 7 to 9" in server.stderr()
    with hostile(hello=False) as server:
        server.send({"msg": "Hello", "max": 9, "min": 1})
        check_alive(server, errors=0)


def test_million_ids():
    """A million ids in one message are answered one by one, in bounded memory"""
    count = 1_000_000
    ids = [f"nowhere.{number}" for number in range(count)]
    seen = [0]
    with hostile() as server:
        server.keep_packets = False
        take = server.collector.take

        def count_results(packet, keep):
            if packet.id and packet.id.startswith("nowhere."):
                seen[0] += packet.status == "fail"
            else:
                take(packet, keep)

        server.collector.take = count_results
        listed = server.ask_list(ids, pieces=100)
        server.until_done(listed)
        run = server.ask_run(ids[:100_000])
        server.until_done(run)
        assert seen[0] == 100_000, seen
        assert memory_of(server.server_pid()) < 600 << 20
        check_alive(server)


def test_too_many_ids():
    """More ids than are accepted: an error and Done, and nothing is run"""
    with hostile() as server:
        text = b'{"msg":"Run","nonce":"many","tests":[' + b'"a",' * 2_000_001 + b'"a"]}'
        server.send(text)
        server.until_done("many")
        assert not server.collector.results and len(server.collector.errors) == 1, server.state()
        check_alive(server, errors=1)


def test_too_long():
    """A message above the limit is refused, not kept, and has its Done"""
    with hostile() as server:
        ids = b'"' + b"x" * 60_000 + b'",'
        server.send(b'{"msg":"Run","nonce":"long","tests":[' + ids * ((140 << 20) // 60_000) + b'""]}')
        server.until_done("long")
        assert memory_of(server.server_pid()) < 300 << 20
        check_alive(server, errors=1)


def test_one_byte_writes():
    """Chunked messages in one-byte writes, with several Runs and Lists in flight, are answered like any other"""
    tests = [f"faults.All/Quick.Passes/{number}" for number in range(40)]
    with hostile("--jobs", "4") as server:
        messages = []
        for number in range(4):
            messages.append(encode_message({"msg": "Run", "nonce": f"r{number}", "tests": tests}, pieces=30))
            messages.append(encode_message({"msg": "List", "nonce": f"l{number}"}, pieces=10))
        server.send_bytes(b"".join(messages), step=1)
        server.until_done(*(f"r{number}" for number in range(4)), *(f"l{number}" for number in range(4)))
        routes = {}
        for (test, route), results in server.collector.results.items():
            assert [result.status for result in results] == ["success"], results
            routes.setdefault(route, set()).add(test)
        assert [routed == set(tests) for routed in routes.values()] == [True] * 4, routes
        listed = list(server.collector.listed.values())
        assert len(listed) == 4 and all(ids == listed[0] for ids in listed) and set(tests) < set(listed[0])
        check_alive(server, errors=0)


def test_packets_that_are_no_rpc():
    """Results and attachments from a client are ignored"""
    with hostile() as server:
        for _ in range(100):
            server.send_bytes(encode(test_id="a", test_status="success"))
            server.send_bytes(encode(test_id=RPC_ID, test_status="fail"))
            server.send_bytes(encode(test_id="a", file_name="message", file_bytes=b"{}", mime_type="application/json"))
        check_alive(server, errors=0)


if __name__ == "__main__":
    sys.exit(e2e.main())
