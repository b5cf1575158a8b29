"""One session with the server under test: what was sent, what came, and what it means.

A session only records. Which of it is wrong is for the checks to say, each about its own rule: so reading is
lenient here (a message is known by its JSON even if its packet is not formed as the rules want)."""

import collections
import dataclasses
import itertools
import json

from .process import Ended, Silent
from .wire import RPC_ID, Foreign, PacketReader, encode_message

PASSED_ON = ("stdout", "stderr", "listening")
FINAL = ("success", "fail", "skip", "xfail", "uxsuccess")


class Failure(Exception):
    """A check's verdict: the server broke the rule."""

    def __init__(self, expected, received, sent=()):
        super().__init__(expected)
        self.expected, self.received, self.sent = expected, received, list(sent)


@dataclasses.dataclass
class Message:
    content: dict
    packets: list

    @property
    def index(self):
        return self.packets[-1].index


@dataclasses.dataclass
class Error:
    text: bytes
    packets: list

    @property
    def index(self):
        return self.packets[0].index


class TestRun:
    """One execution of one test: the packets from its start to its end."""

    def __init__(self, packets):
        self.packets = packets
        self.starts = [p for p in packets if p.test_status == "inprogress"]
        self.finals = [p for p in packets if p.test_status in FINAL]

    @property
    def status(self):
        return self.finals[-1].test_status if self.finals else None

    def pieces(self, name=None):
        return [p for p in self.packets if p.file_name is not None and name in (None, p.file_name)]

    def attachment(self, name):
        return b"".join(p.file_bytes for p in self.pieces(name)) if self.pieces(name) else None


class Session:
    def __init__(self, process):
        self.process = process
        self.items = []  # Packets and Foreigns, in order
        self.messages = []
        self.errors = []
        self.sent = []  # in words
        self._reader = PacketReader()
        self._message_pieces = []
        self._error_pieces = []
        self._counter = itertools.count(1)

    # Sending.

    def send(self, data, description):
        """Writes bytes; reads meanwhile."""
        self.sent.append(description)
        self.exchange(data, lambda: True, tolerate_end=True)

    def send_message(self, message, description=None, **fields):
        """`message` is an object, or JSON as text or bytes; `fields` go to encode_message()."""
        content = as_json(message)
        extra = f" with {', '.join(f'{k}={v!r}' for k, v in fields.items())}" if fields else ""
        self.send(encode_message(content, **fields), description or f"message {shorten(content)}{extra}")

    def nonce(self):
        return f"kit-{next(self._counter)}"

    def command(self, kind, tests=None, **fields):
        """Sends a List or Run; returns its nonce."""
        message = {"msg": kind, "nonce": self.nonce()}
        if tests is not None:
            message["tests"] = list(tests)
        self.send_message(message, **fields)
        return message["nonce"]

    def close_input(self):
        self.sent.append("end of file")
        self.process.close_stdin()

    # Receiving.

    def wait(self, until, expected):
        """Reads until until() holds. Silence, and the server's end, are a Failure."""
        self.exchange(b"", until, expected=expected)

    def read_to_end(self, expected="the end of the server's output"):
        self.exchange(b"", lambda: False, tolerate_end=True, expected=expected)

    def wait_done(self, *nonces):
        for nonce in nonces:
            self.wait(lambda: self.dones(nonce), f"Done with the nonce {shorten_text(nonce)}")

    def hello(self, maximum=1, minimum=1):
        self.send_message({"msg": "Hello", "max": maximum, "min": minimum})
        self.wait(lambda: self.hellos, "the server's Hello")

    def barrier(self):
        """A List of nothing, and its Done: what came before it has been dealt with."""
        self.wait_done(self.command("List", []))

    def list(self, tests=None):
        """The packets that answer a List while nothing else is in flight."""
        return self.answer("List", tests)

    def run(self, tests=None):
        return self.answer("Run", tests)

    def answer(self, kind, tests=None):
        start = len(self.items)
        nonce = self.command(kind, tests)
        self.wait_done(nonce)
        return self.results(start, self.dones(nonce)[0].index)

    def expect_error(self, before, what):
        """Waits until there are more errors than `before`."""
        self.wait(lambda: len(self.errors) > before, f"an error, for {what}")

    # What came.

    @property
    def packets(self):
        return [item for item in self.items if not isinstance(item, Foreign)]

    @property
    def foreign(self):
        return [item for item in self.items if isinstance(item, Foreign)]

    @property
    def hellos(self):
        return [m for m in self.messages if m.content.get("msg") == "Hello"]

    def dones(self, nonce=None):
        return [
            m
            for m in self.messages
            if m.content.get("msg") == "Done" and nonce in (None, m.content.get("nonce"))
        ]

    def results(self, start=0, end=None):
        """Packets about tests, by position among all that was received."""
        return [
            item
            for item in self.items[start:end]
            if not isinstance(item, Foreign) and item.test_id is not None and not is_rpc(item)
        ]

    def results_of_runs(self, start=0):
        return [packet for packet in self.results(start) if packet.test_status != "exists"]

    def fail(self, expected, received=None):
        """The Failure to raise, with what was sent and, unless told, what came last."""
        if received is None:
            received = [str(item) for item in self.items[-8:]] or ["nothing"]
        return Failure(expected, received if isinstance(received, list) else [str(received)], self.sent)

    def exchange(self, data, until, tolerate_end=False, expected="the server to go on"):
        """Writes and reads until until() holds; send() and wait() in one, for checks that need it."""
        try:
            self.process.exchange(data, self._receive, until, tolerate_end)
        except Silent:
            raise self.fail(expected, self._last("silence until the deadline")) from None
        except Ended:
            status = self.process.exit_status()
            raise self.fail(expected, self._last(f"end of file; exit status {status}")) from None

    def _last(self, end):
        return [str(item) for item in self.items[-4:]] + [end]

    def _receive(self, data):
        for item in self._reader.feed(data) if data else self._reader.finish():
            item.index = len(self.items)
            self.items.append(item)
            if not isinstance(item, Foreign) and is_rpc(item):
                self._receive_rpc(item)

    def _receive_rpc(self, packet):
        # Between the pieces of a message others may stand, [RPC-2.3]: known by their type.
        continues = self._message_pieces and (packet.mime_type is None or is_json(packet.mime_type))
        if packet.file_name in PASSED_ON and not (packet.mime_type or "").startswith("application/json"):
            return  # what a program between has to say, [CON-5.2]
        if continues or (not self._message_pieces and not self._error_pieces and packet.file_bytes.lstrip().startswith(b"{")):
            self._message_pieces.append(packet)
            content = parse(b"".join(p.file_bytes for p in self._message_pieces))
            if content is not None:
                self.messages.append(Message(content, self._message_pieces))
            if content is not None or packet.eof:
                self._message_pieces = []
        else:
            self._error_pieces.append(packet)
            if packet.eof:
                text = b"".join(p.file_bytes for p in self._error_pieces)
                self.errors.append(Error(text, self._error_pieces))
                self._error_pieces = []


def is_rpc(packet):
    """A `fail` of an unknown test that has the RPC's id is a result, and so are its attachments."""
    return (
        packet.test_id == RPC_ID
        and packet.file_bytes is not None
        and packet.test_status is None
        and packet.file_name != "traceback"
    )


def is_json(mime_type):
    return mime_type.partition(";")[0].strip().lower() == "application/json"


def parse(content):
    try:
        message = json.loads(content.decode("utf-8"))
    except ValueError:
        return None
    return message if isinstance(message, dict) else None


def as_json(message):
    if isinstance(message, bytes):
        return message
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    return text.encode("utf-8")


def shorten(content, limit=120):
    return shorten_text(content.decode("utf-8", "backslashreplace"), limit)


def shorten_text(text, limit=120):
    return text if len(text) <= limit else f"{text[:limit - 20]}... ({len(text)} characters)"


def by_id(packets):
    """Test id to its packets, in order."""
    tests = collections.defaultdict(list)
    for packet in packets:
        tests[packet.test_id].append(packet)
    return tests


def by_route(packets):
    routes = collections.defaultdict(list)
    for packet in packets:
        routes[packet.route_code].append(packet)
    return routes


def test_runs(packets):
    """Test id to its TestRun, for packets in which no id was run twice."""
    return collections.defaultdict(
        lambda: TestRun([]), {test_id: TestRun(its) for test_id, its in by_id(packets).items()}
    )


def final_ids(packets):
    """The ids with a final status, as often as they have one."""
    return collections.Counter(p.test_id for p in packets if p.test_status in FINAL)


def exists_ids(packets):
    return collections.Counter(p.test_id for p in packets if p.test_status == "exists")
