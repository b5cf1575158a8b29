#!/usr/bin/python3
"""Serves a handful of made-up tests over stdin and stdout, by spec/rpc.md. `--break NAME` breaks one rule (faults.py).

One event loop; a process per execution. The methods are small because faults.py overrides them one by one."""

import argparse
import collections
import datetime
import math
import os
import pathlib
import selectors
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from broken.messages import Assembler, Refused, read_message  # noqa: E402
from broken.processes import HANGING, TESTS, TEXT, Execution  # noqa: E402
from kit.wire import RPC_ID, Foreign, PacketReader, encode, encode_message  # noqa: E402

PATIENCE = 4  # seconds until an incomplete packet is given up, [RPC-2.13]


class Request:
    """A Run that is being answered."""

    def __init__(self, ordinal, tests, nonce):
        self.ordinal, self.nonce = ordinal, nonce
        self.waiting = collections.deque(tests)
        self.running = 0
        self.ran = False  # a test of it has started

    @property
    def route(self):
        return str(self.ordinal)


class ReferenceServer:
    patience = PATIENCE

    def __init__(self, options):
        self.options = options
        self.reader = PacketReader()
        self.assembler = Assembler(options.max_bytes)
        self.selector = selectors.DefaultSelector()
        self.selector.register(0, selectors.EVENT_READ, self.on_input)
        self.said_hello = False
        self.in_gap = False
        self.last_input = 0.0
        self.ordinal = 0
        self.requests = []
        self.executions = {}  # to deadline
        self.status = None  # of our exit, once the session is over

    # The loop.

    def serve(self):
        while self.status is None:
            for key, _ in self.selector.select(self.wait_time()):
                if self.status is None:
                    key.data()
            if self.status is None:
                self.on_time()
                self.start_tests()
        self.clean_up()
        return self.status

    def wait_time(self):
        times = [*self.executions.values(), *([self.last_input + self.patience] if self.reader.incomplete else [])]
        until = min(times, default=math.inf)
        return None if until == math.inf else max(0, until - time.monotonic())

    def on_time(self):
        now = time.monotonic()
        for execution, deadline in self.executions.items():
            if now >= deadline:
                execution.kill(f"killed at its time limit of {self.options.limit} s")
        if self.reader.incomplete and now >= self.last_input + self.patience:
            self.on_items(self.reader.finish())

    def clean_up(self):
        for execution in self.executions:
            execution.reap()

    # From bytes to messages.

    def read_input(self):
        return os.read(0, 1 << 20)

    def on_input(self):
        data = self.read_input()
        if not data:
            return self.on_end_of_file()
        self.on_items(self.reader.feed(data))
        self.last_input = time.monotonic()  # behind the work: while we compute, nobody keeps us waiting

    def on_items(self, items):
        for item in items:
            if self.status is None:
                self.on_gap(item) if isinstance(item, Foreign) else self.on_packet(item)

    def on_gap(self, gap):
        if not self.in_gap:
            self.in_gap = True
            self.refuse(f"bytes that are no packet, from {gap.data[:20]!r}")

    def on_packet(self, packet):
        self.in_gap = False
        if packet.test_id != RPC_ID or packet.file_bytes is None:
            return
        if self.is_json(packet.mime_type) or self.continues_message(packet):
            self.on_piece(packet)
        else:
            self.refuse(f"file content of the type {packet.mime_type!r}, not application/json")

    def is_json(self, mime_type):
        return mime_type is not None and mime_type.partition(";")[0].strip().lower() == "application/json"

    def continues_message(self, packet):
        return packet.mime_type is None and self.assembler.incomplete

    def on_piece(self, packet):
        for outcome in self.assembler.add(packet.file_bytes, packet.eof):
            if self.status is not None:
                return
            try:
                if isinstance(outcome, Refused):
                    raise outcome
                self.on_message(self.read_message(outcome))
            except Refused as refused:
                self.refuse_message(refused)

    def read_message(self, content):
        return read_message(content, self.options.max_ids)

    # The states and the messages.

    def on_message(self, message):
        kind = message["msg"]
        if kind == "Goodbye":
            self.on_goodbye()
        elif kind == "Hello":
            self.on_second_hello() if self.said_hello else self.on_hello(message["max"], message["min"])
        elif kind == "Done":
            raise Refused("Done is the server's to send")
        elif not self.said_hello:
            self.on_early_command(message)
        else:
            self.on_command(message)

    def refuse_message(self, refused):
        self.refuse(refused.reason)
        if refused.nonce is not None and self.said_hello:
            self.send_done(refused.nonce)

    def refuse(self, reason):
        self.send_error(f"refused: {reason}\n")

    def on_hello(self, maximum, minimum):
        self.said_hello = True
        self.send_hello()
        if not minimum <= 1 <= maximum:
            self.on_disjoint(maximum, minimum)

    def on_disjoint(self, maximum, minimum):
        self.log(f"the client speaks versions {minimum} to {maximum}, this server version 1 only")
        self.status = 2

    def on_second_hello(self):
        raise Refused("a second Hello")

    def on_early_command(self, message):
        raise Refused(f"{message['msg']} before Hello")

    def on_goodbye(self):
        self.status = 0

    def on_end_of_file(self):
        self.status = 1

    def on_command(self, message):
        self.ordinal += 1
        if message["msg"] == "List":
            self.on_list(message.get("tests"), message["nonce"])
        else:
            self.on_run(message.get("tests"), message["nonce"])

    # List.

    def on_list(self, tests, nonce):
        for test_id in self.select_listed(tests):
            self.send_exists(test_id, str(self.ordinal))
        self.send_done(nonce)

    def select_listed(self, tests):
        return list(TESTS) if tests is None else [test_id for test_id in dict.fromkeys(tests) if test_id in TESTS]

    def send_exists(self, test_id, route):
        self.send(test_id=test_id, test_status="exists", runnable=True, route_code=route)

    # Run.

    def on_run(self, tests, nonce):
        if tests and RPC_ID in tests:
            tests = self.leave_out_reserved(tests)
        self.requests.append(Request(self.ordinal, self.select_run(tests), nonce))
        self.start_tests()

    def leave_out_reserved(self, tests):
        self.refuse(f"{RPC_ID} is no test's id")
        return [test_id for test_id in tests if test_id != RPC_ID]

    def select_run(self, tests):
        return list(TESTS) if tests is None else tests

    def start_tests(self):
        for request in list(self.requests):
            for _ in range(len(request.waiting)):
                test_id = request.waiting.popleft()
                if test_id not in TESTS:
                    self.finish_unknown(request, test_id)
                elif self.may_start(request, test_id):
                    self.start(request, test_id)
                else:
                    request.waiting.append(test_id)
            self.complete(request)

    def may_start(self, request, test_id):
        return len(self.executions) < self.options.jobs and all(e.test_id != test_id for e in self.executions)

    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests:
            self.requests.remove(request)
            self.send_done(request.nonce)

    def finish_unknown(self, request, test_id):
        self.attach(request, test_id, "traceback", b"no test has this id")
        self.send_status(request, test_id, "fail")

    def start(self, request, test_id):
        request.running += 1
        request.ran = True
        self.send_start(request, test_id)
        execution = self.execute(request, test_id)
        self.executions[execution] = math.inf  # it ends by itself, however busy the machine is
        for fd in execution.files:
            self.selector.register(fd, selectors.EVENT_READ, lambda fd=fd: self.on_readable(execution, fd))
        self.selector.register(execution.pidfd, selectors.EVENT_READ, lambda: self.on_exit(execution))

    def execute(self, request, test_id):
        return Execution(request, test_id)

    def send_start(self, request, test_id):
        self.send_status(request, test_id, "inprogress")

    def on_readable(self, execution, fd):
        if fd not in execution.files:  # closed by another event of the same round
            return None
        name, data = execution.read(fd)
        if data is None:
            return None
        if not data:
            self.selector.unregister(fd)
            execution.close(fd)
        elif name != "report":
            if execution.test_id == HANGING:  # its first word: from here on it hangs
                self.executions[execution] = time.monotonic() + self.options.limit
            self.forward(execution, name, data)
        return data

    def forward(self, execution, name, data):
        self.attach_output(execution, execution.output[name].divide(data))

    def attach_output(self, execution, parts):
        for name, mime_type, data in parts:
            self.attach(execution.request, execution.test_id, name, data, eof=False, mime_type=mime_type)

    def on_exit(self, execution):
        self.selector.unregister(execution.pidfd)
        execution.reap()
        for fd in list(execution.files):
            while self.on_readable(execution, fd):
                pass
            if fd in execution.files:  # held open by a process that got away
                self.selector.unregister(fd)
                execution.close(fd)
        del self.executions[execution]
        execution.request.running -= 1
        self.finish(execution)

    def finish(self, execution):
        request, test_id, verdict = execution.request, execution.test_id, self.verdict(execution)
        for output in execution.output.values():
            self.attach_output(execution, output.divide(b"", final=True))
            for name, mime_type in output.attached.items():
                self.end_output(request, test_id, name, mime_type)
        self.attach_all(request, test_id, verdict)
        self.send_final(request, test_id, verdict["status"])

    def end_output(self, request, test_id, name, mime_type):
        self.attach(request, test_id, name, b"", mime_type=mime_type)

    def verdict(self, execution):
        return execution.verdict()

    def attach_all(self, request, test_id, verdict):
        for name in ("traceback", "reason"):
            if name in verdict:
                self.attach(request, test_id, name, verdict[name].encode("utf-8"))
        if "properties" in verdict:
            self.attach_properties(request, test_id, verdict["properties"])

    def attach_properties(self, request, test_id, properties):
        pairs = ", ".join(f'"{key}": "{value}"' for key, value in properties.items())
        self.attach(request, test_id, "properties", f"{{{pairs}}}".encode(), mime_type="application/json")

    def send_final(self, request, test_id, status):
        self.send_status(request, test_id, status)

    def send_status(self, request, test_id, status):
        self.send_result(request, test_id=test_id, test_status=status, timestamp=self.now())

    def attach(self, request, test_id, name, data, eof=True, mime_type=TEXT):
        self.send_result(
            request, test_id=test_id, file_name=name, file_bytes=data, eof=eof, mime_type=mime_type
        )

    def send_result(self, request, **fields):
        self.send(route_code=request.route, **fields)

    def now(self):
        return datetime.datetime.now(datetime.timezone.utc)

    # Output.

    def send_hello(self):
        self.send_message('{"msg": "Hello", "max": 1, "min": 1}')

    def send_done(self, nonce):
        self.send_message('{"msg": "Done", "nonce": %s}' % json_string(nonce))

    def send_message(self, text, **fields):
        self.write(encode_message(text.encode("utf-8"), **fields))

    def send_error(self, text, **fields):
        fields = {"test_id": RPC_ID, "file_name": "error", "mime_type": TEXT, "eof": True, **fields}
        self.send(file_bytes=text.encode("utf-8"), **fields)

    def send(self, **fields):
        self.write(encode(**fields))

    def write(self, data):
        while data:
            data = data[os.write(1, data) :]

    def log(self, text):
        os.write(2, f"reference server: {text}\n".encode())


def json_string(text):
    escaped = "".join(f"\\u{ord(c):04x}" if c in '"\\' or c < " " else c for c in text)
    return f'"{escaped}"'


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--jobs", type=int, default=4, help="tests at a time (default: %(default)s)")
    add("--limit", type=float, default=1.0, metavar="S", help=f"time limit of {HANGING} (default: %(default)s)")
    add("--max-ids", type=int, default=200_000, help="ids in a message (default: %(default)s)")
    add("--max-bytes", type=int, default=16 << 20, help="bytes of a message (default: %(default)s)")
    add("--break", dest="fault", metavar="NAME", help="break a rule; faults.py lists the names")
    return parser.parse_args(arguments)


def serve(arguments):
    """Serves on fds 0 and 1; returns the exit status."""
    options = parse_arguments(arguments)
    server = ReferenceServer
    if options.fault:
        from broken.client_faults import CLIENT_FAULTS
        from broken.faults import FAULTS, VARIANTS

        server = {**FAULTS, **VARIANTS, **CLIENT_FAULTS}[options.fault]
    return server(options).serve()


if __name__ == "__main__":
    # Under its own name, so that faults.py and this script mean the same classes.
    from broken import reference_server

    sys.exit(reference_server.serve(sys.argv[1:]))
