"""A client of the test-server RPC over python-subunit, for the end-to-end tests. It shares no code with Hearth.

Everything that waits has a deadline, far beyond what it takes: it turns a hang into a failure that shows what had
arrived, and never judges speed.
"""

import collections
import contextlib
import io
import json
import os
import signal
import subprocess
import tempfile
import threading
import time
import uuid
import zlib

import subunit.v2

DEADLINE = 300 * float(os.environ.get("HEARTH_E2E_PATIENCE", "1"))  # seconds
RPC_ID = "testrepository-rpc"
FINAL = {"success", "fail", "skip", "xfail", "uxsuccess"}
MARK = "HEARTH_E2E"

Packet = collections.namedtuple("Packet", "id status file content eof mime route time runnable tags")


def encode(**fields):
    """One packet as bytes."""
    out = io.BytesIO()
    subunit.v2.StreamResultToBytes(out).status(**fields)
    return out.getvalue()


def encode_message(message, pieces=1):
    """A message as RPC packets. `message` is JSON to be, or text, or bytes as they are."""
    if not isinstance(message, (str, bytes)):
        message = json.dumps(message)
    content = message if isinstance(message, bytes) else message.encode()
    step = max(1, -(-len(content) // pieces), 1)
    starts = list(range(0, len(content), min(step, 2 << 20))) or [0]
    step = min(step, 2 << 20)
    return b"".join(
        encode(test_id=RPC_ID, file_name="message", mime_type="application/json",
               file_bytes=content[start:start + step], eof=start == starts[-1])
        for start in starts)


def _packet_length(data):
    """Of a packet that may begin here, None where none does; 0: not to be told yet."""
    if len(data) > 1 and data[1] >> 4 != 2:
        return None
    if len(data) < 6:
        return 0
    width = data[3] >> 6
    length = int.from_bytes(data[3:4 + width], "big") & ((1 << (8 * width + 6)) - 1)
    return length if width < 3 and 8 <= length <= 4 << 20 else None


def whole_packets(stream, foreign):
    """The packets among other bytes, as bytes; those others go to `foreign`. python-subunit loses its way there."""
    data = bytearray()
    while more := os.read(stream.fileno(), 1 << 16):
        data += more
        at = 0
        while (begin := data.find(0xB3, at)) >= 0:
            length = _packet_length(data[begin:begin + 6])
            if length == 0 or length and length > len(data) - begin:
                break
            packet = bytes(data[begin:begin + (length or 0)])
            if length is None or zlib.crc32(packet[:-4]) != int.from_bytes(packet[-4:], "big"):
                foreign += data[at:begin + 1]
                at = begin + 1
                continue
            foreign += data[at:begin]
            at = begin + length
            yield packet
        if begin < 0:
            foreign += data[at:]
            at = len(data)
        del data[:at]
    foreign += data


class Result:
    """What is known of one run of one test."""

    def __init__(self, test_id):
        self.id = test_id
        self.started = 0
        self.status = None
        self.files = collections.OrderedDict()
        self.mimes = {}
        self.closed = set()
        self.route = None

    def text(self, name):
        return self.files.get(name, b"").decode("utf-8", "replace")

    def __repr__(self):
        files = {name: bytes(content[:2000]) for name, content in self.files.items()}
        return f"<{self.id}: {self.status}, started {self.started} time(s), {files}>"


class Collector:
    """Packets in, results and messages out; every rule of the stream that costs nothing to check is checked."""

    def __init__(self):
        self.packets = []
        self.messages = []
        self.errors = []
        self.foreign = collections.defaultdict(bytearray)  # by name: what a shim attached to the RPC
        self.results = collections.OrderedDict()  # (id, route): [Result, ...]
        self.listed = collections.defaultdict(list)  # route: [id, ...]
        self.faults = []
        self._open = {}
        self._pieces = b""

    def take(self, packet, keep=True):
        if keep:
            self.packets.append(packet)
        if packet.id == RPC_ID:
            self._take_rpc(packet)
        elif packet.id is None:
            self.faults.append(f"bytes that are no packet: {packet.content[:200]!r}")
        elif packet.status == "exists":
            self.listed[packet.route].append(packet.id)
        else:
            self._take_result(packet)

    def _take_rpc(self, packet):
        if packet.file == "error":
            self.errors.append(packet.content.decode())
            return
        if packet.file in ("stdout", "stderr", "listening"):
            self.foreign[packet.file] += packet.content or b""
            return
        self._pieces += packet.content or b""
        if packet.eof:
            self.messages.append(json.loads(self._pieces))
            self._pieces = b""

    def _take_result(self, packet):
        result = self._open.get((packet.id, packet.route))
        if result is None:
            result = self._open[packet.id, packet.route] = Result(packet.id)
            self.results.setdefault((packet.id, packet.route), []).append(result)
            result.route = packet.route
        if packet.file is not None:
            if packet.file in result.closed:
                self.faults.append(f"{packet.id}: {packet.file} goes on behind its end")
            result.files.setdefault(packet.file, bytearray()).extend(packet.content or b"")
            if result.mimes.setdefault(packet.file, packet.mime) != packet.mime:
                self.faults.append(f"{packet.id}: {packet.file} changes its type")
            if packet.eof:
                result.closed.add(packet.file)
        if packet.status == "inprogress":
            result.started += 1
            if result.started > 1:
                self.faults.append(f"{packet.id}: begins twice")
        elif packet.status in FINAL:
            result.status = packet.status
            if missing := set(result.files) - result.closed:
                self.faults.append(f"{packet.id}: {missing} without an end")
            if packet.status == "fail" and not result.files.get("traceback"):
                self.faults.append(f"{packet.id}: a failure without a traceback")
            del self._open[packet.id, packet.route]

    def of(self, test_id):
        """The one result of a test."""
        found = [result for (known, _), results in self.results.items() if known == test_id for result in results]
        assert len(found) == 1, f"{len(found)} results of {test_id}, not one: {found}"
        return found[0]

    def statuses(self):
        return {test_id: results[-1].status for (test_id, _), results in self.results.items()}


class _Reader:
    """python-subunit's parser calls this for every packet."""

    def __init__(self, server):
        self.m_server = server

    def startTestRun(self):
        pass

    def stopTestRun(self):
        pass

    def status(self, test_id=None, test_status=None, test_tags=None, runnable=True, file_name=None, file_bytes=None,
               eof=False, mime_type=None, route_code=None, timestamp=None):
        content = None if file_bytes is None else bytes(file_bytes)
        self.m_server.arrived(Packet(test_id, test_status, file_name, content, eof, mime_type, route_code, timestamp,
                                     runnable, test_tags))


class Server:
    """A server and the session with it. Use it in a `with`: what is left of it is killed, and shown as a fault."""

    hearth = None  # path of the executable

    def __init__(self, *programs, options=(), command=None, env=None, filtered=False, hello=True, read=True,
                 stdin=subprocess.PIPE, stdout=subprocess.PIPE, **popen):
        """`command` is a whole other command line, with what leads to a server; {mark} in it is the session's mark."""
        self.mark = uuid.uuid4().hex
        environment = {**os.environ, **(env or {}), MARK: self.mark}
        # In a sanitizer build: what is freed is freed, so that memory can be measured.
        environment["ASAN_OPTIONS"] = environment.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
        self.stderr_file = tempfile.TemporaryFile()
        if command is None:
            command = [self.hearth, "serve", *options, "--", *map(str, programs)]
        command = [str(argument).replace("{mark}", self.mark) for argument in command]
        self.process = subprocess.Popen(command, stdin=stdin, stdout=stdout, stderr=self.stderr_file,
                                        env=environment, **popen)
        self.pid = self.process.pid
        self.collector = Collector()
        self.filtered = filtered  # bytes between packets are no fault, whatever they are
        self.foreign = bytearray()  # and these they were
        self.keep_packets = True
        self.ended = False
        self._changed = threading.Condition()
        self._nonce = 0
        self._thread = None
        if read and stdout == subprocess.PIPE:
            self.read()
        if hello and stdin == subprocess.PIPE:
            self.hello()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        left = []
        try:
            if self.process.poll() is None:
                self.process.terminate()
                self.wait()
            left = self.wait_for_no_process() if kind is None else []
        finally:
            signal_all(self.descendants(), signal.SIGKILL)
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream and not stream.closed and (stream is not self.process.stdout or not self._thread):
                    try:
                        stream.close()
                    except BrokenPipeError:
                        pass
            if self._thread:
                self._thread.join(DEADLINE)
                self.process.stdout.close()
        if kind is None:
            assert not left, f"processes are left: {left}"
            assert not self.collector.faults, f"faults of the stream: {self.collector.faults}\n{self.state()}"

    # ---- what comes --------------------------------------------------------------------------------

    def read(self):
        """Begins to read what the server writes."""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        if self.filtered:
            for packet in whole_packets(self.process.stdout, self.foreign):
                subunit.v2.ByteStreamToStreamResult(io.BytesIO(packet)).run(_Reader(self))
        else:
            subunit.v2.ByteStreamToStreamResult(self.process.stdout, non_subunit_name="(foreign)").run(_Reader(self))
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def finish_reading(self):
        """Until the stream has ended."""
        self._thread.join(DEADLINE)
        assert self.ended, self.state()

    def arrived(self, packet):
        if packet.id is None or packet.file == "(foreign)":
            packet = packet._replace(id=None)
        with self._changed:
            self.collector.take(packet, self.keep_packets)
            self._changed.notify_all()

    def until(self, holds, what):
        """Waits until holds(collector), and gives what it gave."""
        end = time.monotonic() + DEADLINE
        with self._changed:
            while True:
                if value := holds(self.collector):
                    return value
                left = end - time.monotonic()
                assert left > 0 and not self.ended, f"{'the stream ended' if self.ended else 'time ran out'}" \
                    f" before {what}\n{self.state()}"
                self._changed.wait(left)

    def until_done(self, *nonces):
        for nonce in nonces:
            done = {"msg": "Done", "nonce": nonce}
            self.until(lambda so_far: done in so_far.messages, f"Done of {nonce}")
        return self.collector

    def state(self):
        results = [result for results in self.collector.results.values() for result in results][-20:]
        return f"messages {self.collector.messages}, errors {self.collector.errors[-5:]}, results {results}\n" \
            f"stderr:\n{self.stderr()}"

    def stderr(self):
        # Opened again: the position in the file is the server's too.
        with open(f"/proc/self/fd/{self.stderr_file.fileno()}", "rb") as written:
            return written.read().decode("utf-8", "replace")

    # ---- what goes ---------------------------------------------------------------------------------

    def send_bytes(self, data, step=None):
        for start in range(0, len(data), step or len(data) or 1):
            self.process.stdin.write(data[start:start + (step or len(data))])
            self.process.stdin.flush()

    def send(self, message, pieces=1):
        self.send_bytes(encode_message(message, pieces))

    def hello(self):
        with contextlib.suppress(BrokenPipeError):  # one that has ended by now tells in some other way
            self.send({"msg": "Hello", "max": 1, "min": 1})

    def _command(self, kind, tests, pieces, exit=None):
        self._nonce += 1
        nonce = f"{kind}-{self._nonce}"
        message = {"msg": kind, "nonce": nonce}
        if tests is not None:
            message["tests"] = list(tests)
        if exit is not None:
            message["exit"] = exit
        self.send(message, pieces)
        return nonce

    def ask_list(self, tests=None, pieces=1):
        return self._command("List", tests, pieces)

    def ask_run(self, tests=None, pieces=1, exit=False):
        """`exit`: the member of the message, None: without. Programs stay warm between the Runs of a test."""
        return self._command("Run", tests, pieces, exit)

    def list(self, tests=None):
        """The ids that a List gives."""
        before = sum(map(len, self.collector.listed.values()))
        self.until_done(self.ask_list(tests))
        ids = [test_id for ids in self.collector.listed.values() for test_id in ids]
        return ids[before:]

    def run(self, *tests, exit=False):
        """Runs the tests (none given: all), and gives the results so far."""
        return self.until_done(self.ask_run(tests or None, exit=exit))

    def goodbye(self):
        self.send({"msg": "Goodbye"})
        return self.wait()

    # ---- processes ---------------------------------------------------------------------------------

    def wait(self):
        try:
            return self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server does not end\n{self.state()}") from None

    def descendants(self):
        """Every live process that carries the session's mark, the keeper apart."""
        return [pid for pid in marked(self.mark) if pid != self.pid]

    def server_pid(self):
        """The process that the keeper keeps."""
        return await_that(lambda: children_of(self.pid), "the server's start")[0]

    def zygote_pids(self):
        return children_of(self.server_pid())

    def wait_for_no_process(self):
        """Those that are left in the end, which is now at best."""
        end = time.monotonic() + DEADLINE
        while (left := self.descendants()) and time.monotonic() < end:
            time.sleep(0.01)
        return [(pid, command_of(pid)) for pid in left]


# ---- /proc -----------------------------------------------------------------------------------------

def _read(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def all_pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def state_of(pid):
    """One letter; None where there is no such process."""
    stat = _read(f"/proc/{pid}/stat")
    return stat.rpartition(b")")[2].split()[0].decode() if stat else None


def is_alive(pid):
    return state_of(pid) not in (None, "Z", "X")


def marked(mark):
    wanted = f"{MARK}={mark}".encode()
    return [pid for pid in all_pids() if wanted in _read(f"/proc/{pid}/environ").split(b"\0") and is_alive(pid)]


def children_of(pid):
    return [int(child) for child in _read(f"/proc/{pid}/task/{pid}/children").split()]


def signal_all(pids, number):
    """For those that are still there: a listing is of what was."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def command_of(pid):
    return _read(f"/proc/{pid}/cmdline").replace(b"\0", b" ").decode("utf-8", "replace")


def memory_of(pid):
    """Bytes of resident memory."""
    for line in _read(f"/proc/{pid}/status").splitlines():
        if line.startswith(b"VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def cpu_of(pid):
    """Seconds of CPU that the process has used."""
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def await_that(holds, what):
    """For what is seen in /proc or in a file only: looks again and again."""
    end = time.monotonic() + DEADLINE
    while not (value := holds()):
        assert time.monotonic() < end, f"time ran out before {what}"
        time.sleep(0.005)
    return value
