#!/usr/bin/python3
"""A test program whose end of the worker channel (spec/worker-channel.md) is at odds with the rules, in ways that its
argument, a number, chooses: hostile_zygote.py SEED. It speaks protobuf by hand, and shares no code with Hearth."""

import array
import os
import random
import socket
import struct
import sys
import time

CHANCE = random.Random(int(sys.argv[1]))
NUMBERS = [0, 1, 2, 3, 7, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1, os.getppid(), os.getpid()]
TEXTS = [b"", b"a", b"S.a", b"S.b", b"\xff\xfe", b"a\0b", b"\x1b[2J", b"x" * 20_000, "größe".encode(), b"../..", b"."]


def varint(number):
    out = bytearray()
    while True:
        out.append(number & 0x7F | (0x80 if number > 0x7F else 0))
        number >>= 7
        if not number:
            return bytes(out)


def field(tag, value):
    if isinstance(value, int):  # bool, too
        return varint(tag << 3) + varint(value)
    return varint(tag << 3 | 2) + varint(len(value)) + value


def message(kind, *fields):
    return field(kind, b"".join(field(tag, value) for tag, value in fields))


def hello(low=1, high=1, shares=1):
    return message(1, (1, high), (2, low), (3, os.getpid()), (4, b"Hostile"), (5, b"1"), (6, shares))


def tests(*names):
    """With a time limit of their own, 0.2 s: they may never be answered."""
    limit = varint(5 << 3 | 1) + struct.pack("<d", 0.2)
    return message(2, *((1, field(1, name) + field(2, b"S") + field(4, not CHANCE.randrange(5)) + limit) for name in names))


def any_fields():
    return [(CHANCE.randrange(1, 9), CHANCE.choice([CHANCE.choice(NUMBERS), CHANCE.choice(TEXTS)]))
            for _ in range(CHANCE.randrange(8))]


def anything(execution):
    """A message of any kind; half of them name the execution."""
    fields = any_fields()
    if CHANCE.randrange(2):
        fields = [(1, execution)] + [one for one in fields if one[0] != 1]
    return message(CHANCE.randrange(1, 12), *fields)


def noise():
    return CHANCE.randbytes(CHANCE.choice([1, 2, 10, 1000, 60_000]))


def damaged(packet):
    packet = bytearray(packet)
    for _ in range(CHANCE.randrange(1, 4)):
        packet[CHANCE.randrange(len(packet))] = CHANCE.randrange(256)
    return bytes(packet[:CHANCE.randrange(1, len(packet) + 1)])


class Zygote:
    def __init__(self, channel):
        self.channel = channel
        self.open = []  # descriptors of executions, kept so that nothing of them ends

    def send(self, packet):
        if packet:
            self.channel.send(packet[:65536])

    def receive(self):
        """The next message's kind and fields, and the descriptors that came with it."""
        packet, extra, _, _ = self.channel.recvmsg(65536, 4096)
        if not packet:
            sys.exit(0)
        descriptors = array.array("i")
        for _, _, data in extra:
            descriptors.frombytes(data[:len(data) - len(data) % descriptors.itemsize])
        return packet, list(descriptors)

    def run(self):
        self.send(hello() if CHANCE.randrange(8) else CHANCE.choice([hello(5, 9), hello(9, 5), noise(), anything(1)]))
        self.receive()
        names = [b"S.a", b"S.b", b"T.c"]
        if not CHANCE.randrange(4):
            names += CHANCE.sample(TEXTS, 3)
        self.send(tests(*names))
        self.send(message(3, *([] if CHANCE.randrange(4) else any_fields())))
        while True:
            packet, descriptors = self.receive()
            self.answer(execution_of(packet), descriptors)

    def answer(self, execution, descriptors):
        for descriptor in descriptors[:1]:
            self.report(socket.socket(fileno=descriptor))
        self.open += descriptors[1:]
        for _ in range(CHANCE.randrange(1, 6)):
            self.send(CHANCE.choice([
                lambda: message(4, (1, execution), (2, CHANCE.choice(NUMBERS)), (3, time.time_ns())),
                lambda: message(5, (1, execution), (2, CHANCE.choice(NUMBERS[:6])), (6, time.time_ns())),
                lambda: message(6, (1, execution), (2, CHANCE.choice(TEXTS))),
                lambda: message(3),
                lambda: anything(execution),
                lambda: damaged(anything(execution)),
                noise,
                lambda: tests(*CHANCE.sample(TEXTS, 2)),
            ])())
        if not CHANCE.randrange(20):
            os._exit(CHANCE.randrange(4))

    def report(self, channel):
        try:
            for _ in range(CHANCE.randrange(4)):
                channel.send(CHANCE.choice([
                    lambda: message(1, (1, CHANCE.choice(TEXTS)), (2, CHANCE.choice(TEXTS)), (3, CHANCE.choice(TEXTS)), (4, 1)),
                    lambda: message(2, (1, CHANCE.randrange(9))),
                    lambda: field(3, CHANCE.choice(TEXTS + [b"test: a\nsuccess: a\n", b"failure: a [ multipart\n"])),
                    lambda: message(CHANCE.randrange(1, 5), *any_fields()) or b"\0",
                    lambda: damaged(message(2, (1, 1))),
                    noise,
                ])()[:65536])
        except OSError:
            pass
        if CHANCE.randrange(2):
            self.open.append(channel)


def execution_of(packet):
    """Field 1 of the message in `packet`."""
    at = 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            byte = packet[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    try:
        number(), number()
        return number() if number() == 1 << 3 else 0
    except IndexError:
        return 0


if __name__ == "__main__":
    try:
        Zygote(socket.socket(fileno=int(os.environ.pop("HEARTH_CHANNEL")))).run()
    except OSError:
        os._exit(1)
