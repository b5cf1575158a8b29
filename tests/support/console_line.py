#!/usr/bin/python3
"""A console that is not 8-bit clean, between our stdin and stdout and a command's: a pty that stays cooked.

Usage: console_line.py [OPTION]... -- COMMAND...

    stdin, stdout  <->  master | slave (ICANON, ECHO, ONLCR, ICRNL, IXON)  <->  COMMAND's stdin, stdout

COMMAND has pipes, and so cannot switch anything off. Options:

    --kernel BYTES   every so many bytes of COMMAND's, a kernel message in the middle of a line
    --xoff BYTES     after so many bytes of COMMAND's, an XOFF is typed, and an XON once that has shown
    --damage BYTES   one byte in so many of each direction is dropped, doubled, flipped or inserted
    --mute BYTES     after so many bytes of COMMAND's, nothing passes any more, either way
"""

import argparse
import os
import pty
import random
import selectors
import subprocess
import sys
import termios

KERNEL = b"[ 1234.567890] usb 1-1: new high-speed device: number 2.\r\n"
MOST = 1 << 16


class Queue:
    """Bytes on their way to a descriptor."""

    def __init__(self, fd):
        self.fd = fd
        self.bytes = bytearray()
        self.open = True
        self.ends = False

    def write(self):
        try:
            del self.bytes[:os.write(self.fd, self.bytes[:4096])]
        except BlockingIOError:
            pass
        except OSError:
            self.bytes.clear()
            self.open = False
        if self.ends and not self.bytes:
            self.open = False
            os.close(self.fd)


class Damage:
    def __init__(self, every):
        self.random = random.Random(7)
        self.every = every

    def __call__(self, data):
        if not self.every:
            return data
        out = bytearray()
        for byte in data:
            if self.random.randrange(self.every):
                out.append(byte)
                continue
            out += self.random.choice([b"", bytes([byte, byte]), bytes([byte ^ (1 << self.random.randrange(7))]),
                                       bytes([byte, self.random.randrange(0x20, 0x7F)])])
        return bytes(out)


class Console:
    def __init__(self, options):
        self.options = options
        self.master, slave = pty.openpty()
        settings = termios.tcgetattr(slave)
        settings[0] |= termios.ICRNL | termios.IXON
        settings[1] |= termios.OPOST | termios.ONLCR
        settings[3] |= termios.ICANON | termios.ECHO
        settings[3] &= ~termios.ISIG  # there is nobody to be interrupted
        termios.tcsetattr(slave, termios.TCSANOW, settings)
        self.slave = slave
        self.child = subprocess.Popen(options.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.to_child = Queue(self.child.stdin.fileno())
        self.to_slave = Queue(slave)
        self.to_master = Queue(self.master)
        self.to_stdout = Queue(1)
        self.from_child = 0
        self.damage = Damage(options.damage)
        self.next_kernel = options.kernel
        self.stopped = False
        self.reading = {0: self.to_master, self.master: self.to_stdout, slave: self.to_child,
                        self.child.stdout.fileno(): self.to_slave}
        for fd in (*self.reading, self.to_child.fd, 1):
            os.set_blocking(fd, False)

    def muted(self):
        return self.options.mute and self.from_child >= self.options.mute

    def take(self, fd):
        try:
            data = os.read(fd, 4096)
        except BlockingIOError:
            return True
        except OSError:
            data = b""
        if not data:
            return fd == self.slave  # a Ctrl-D, since the master is open
        if self.muted():
            return True
        if fd == 0:
            self.to_master.bytes += self.damage(data)
        elif fd == self.child.stdout.fileno():
            self.take_child(data)
        else:
            self.reading[fd].bytes += data
        return True

    def take_child(self, data):
        for begin in range(0, len(data), 97):
            piece = data[begin:begin + 97]
            self.from_child += len(piece)
            self.to_slave.bytes += self.damage(piece)
            if self.options.kernel and self.from_child >= self.next_kernel:
                self.next_kernel += self.options.kernel
                self.to_slave.bytes += KERNEL
        if self.options.xoff and not self.stopped and self.from_child >= self.options.xoff:
            self.stopped = True
            self.to_master.bytes += b"\x13"

    def run(self):
        selector = selectors.DefaultSelector()
        while self.reading or self.to_stdout.bytes:
            for fd in {*selector.get_map()}:
                selector.unregister(fd)
            wanted = {}
            for fd, queue in self.reading.items():
                if len(queue.bytes) < MOST:
                    wanted[fd] = selectors.EVENT_READ
            for queue in (self.to_child, self.to_slave, self.to_master, self.to_stdout):
                if queue.open and queue.bytes:
                    wanted[queue.fd] = wanted.get(queue.fd, 0) | selectors.EVENT_WRITE
            for fd, events in wanted.items():
                selector.register(fd, events)
            # A terminal that is stopped takes nothing: then it goes on.
            ready = selector.select(1)
            if not ready and self.stopped:
                self.to_master.bytes += b"\x11"
            for key, events in ready:
                for queue in (self.to_child, self.to_slave, self.to_master, self.to_stdout):
                    if events & selectors.EVENT_WRITE and queue.fd == key.fd:
                        queue.write()
                if events & selectors.EVENT_READ and not self.take(key.fd) and self.ended(key.fd):
                    return

    def ended(self, fd):
        """Whether that is the end of all."""
        del self.reading[fd]
        if fd == 0:
            return True
        if fd == self.child.stdout.fileno():
            self.drain()
            return True
        return False

    def drain(self):
        """What COMMAND said last goes through the pty, and out."""
        os.set_blocking(1, True)
        os.set_blocking(self.slave, True)
        while self.to_slave.bytes or self.to_stdout.bytes:
            self.to_slave.write() if self.to_slave.bytes else None
            self.take(self.master)
            os.write(1, self.to_stdout.bytes)
            self.to_stdout.bytes.clear()
        selector = selectors.DefaultSelector()
        selector.register(self.master, selectors.EVENT_READ)
        while selector.select(0.1):
            os.write(1, os.read(self.master, 4096))


def main():
    parser = argparse.ArgumentParser()
    for name in ("--kernel", "--xoff", "--damage", "--mute"):
        parser.add_argument(name, type=int, default=0)
    parser.add_argument("command", nargs="+")
    console = Console(parser.parse_args())
    try:
        console.run()
    finally:
        console.child.stdin.close()
        console.child.stdout.close()
        status = console.child.wait()
    return status


if __name__ == "__main__":
    sys.exit(main())
