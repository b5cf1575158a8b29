"""Servers that break one rule each. A fault's name is `RULE:what`, as for `reference_server.py --break`."""

import datetime
import json
import math
import os
import time

from broken.messages import Assembler, Refused
from broken.processes import TESTS, Execution
from broken.reference_server import TEXT, ReferenceServer, json_string
from kit.wire import RPC_ID, Foreign, PacketReader, decode, encode_message, packet_length

FAULTS = {}
VARIANTS = {}  # servers that use what the rules allow, and break none


def fault(rule):
    """Registers a server that breaks `rule`, under the rule and the class's name in lower case."""

    def register(server):
        what = "".join(f"-{c.lower()}" if c.isupper() else c for c in server.__name__).lstrip("-")
        server.rule = rule
        FAULTS[f"{rule}:{what}"] = server
        return server

    return register


def variant(server):
    what = "".join(f"-{c.lower()}" if c.isupper() else c for c in server.__name__).lstrip("-")
    VARIANTS[f"conforming:{what}"] = server
    return server


@variant
class InterleavesOutput(ReferenceServer):
    """Puts what a program between has to say between the pieces of a Done, [RPC-2.3], [CON-5.1]."""

    def send_done(self, nonce):
        text = ('{"msg": "Done", "nonce": %s}' % json_string(nonce)).encode("utf-8")
        self.write(encode_message(text[:9], eof=False))
        self.send(test_id=RPC_ID, file_name="stdout", file_bytes=b"a login's banner", mime_type=TEXT, eof=False)
        self.write(encode_message(text[9:]))


@variant
class AddsATearDown(ReferenceServer):
    """Each Run that ran something has a tear-down that failed, [RPC-8.2]."""

    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests and request.ran:
            self.attach(request, "ref.Suite.teardown", "traceback", b"it failed")
            self.send_status(request, "ref.Suite.teardown", "fail")
        super().complete(request)


# Section 2: packets.


@fault("RPC-2.1")
class Banner(ReferenceServer):
    def send_hello(self):
        os.write(1, b"test server 1.0, listening\n")
        super().send_hello()


@fault("RPC-2.1")
class OutputOfTests(ReferenceServer):
    def forward(self, execution, name, data):
        super().forward(execution, name, data)
        os.write(1, data)


@fault("RPC-2.1")
class LastWords(ReferenceServer):
    def clean_up(self):
        super().clean_up()
        os.write(1, b"bye\n")


@fault("RPC-2.2")
class OtherFileName(ReferenceServer):
    def send_message(self, text):
        super().send_message(text, file_name="rpc.json")


@fault("RPC-2.2")
class NoEof(ReferenceServer):
    def send_message(self, text):
        super().send_message(text, eof=False)


@fault("RPC-2.2")
class WithoutMimeType(ReferenceServer):
    def send_message(self, text):
        super().send_message(text, mime_type=None)


@fault("RPC-2.2")
class RunnableMessages(ReferenceServer):
    def send_message(self, text):
        super().send_message(text, runnable=True)


@fault("RPC-2.4")
class FileNameMatters(ReferenceServer):
    def on_piece(self, packet):
        if packet.file_name == "message":
            super().on_piece(packet)


@fault("RPC-2.4")
class RouteCodeMatters(ReferenceServer):
    def on_piece(self, packet):
        if packet.route_code is None:
            super().on_piece(packet)


@fault("RPC-2.5")
class ExactMimeType(ReferenceServer):
    def is_json(self, mime_type):
        return mime_type == "application/json"


@fault("RPC-2.5")
class EachPieceNeedsType(ReferenceServer):
    def continues_message(self, packet):
        return False


@fault("RPC-2.6")
class CharactersMustBeWhole(ReferenceServer):
    def on_piece(self, packet):
        if self.assembler.incomplete or not packet.eof:
            packet.file_bytes = packet.file_bytes.decode("utf-8", "replace").encode("utf-8")
        super().on_piece(packet)


@fault("RPC-2.7")
class NeedsEof(ReferenceServer):
    def __init__(self, options):
        super().__init__(options)
        self.assembler = NeedsEofAssembler(options.max_bytes)


class NeedsEofAssembler(Assembler):
    """Without EOF, refuses what can be no object, but waits for ever at one that is whole."""

    def _extend(self, piece, eof):
        outcomes = super()._extend(piece, eof)
        return outcomes if eof or not any(isinstance(outcome, bytes) for outcome in outcomes) else []


@fault("RPC-2.8")
class HeadersArriveWhole(ReferenceServer):
    def on_input(self):
        super().on_input()
        if self.status is None and 0 < len(self.reader._buffer) < 5:
            self.on_items(self.reader.finish())


@fault("RPC-2.9")
class SmallMessagesOnly(ReferenceServer):
    def __init__(self, options):
        super().__init__(options)
        self.options.max_ids = 50_000


@fault("RPC-2.10")
class RefusesResults(ReferenceServer):
    def on_packet(self, packet):
        if packet.test_id != RPC_ID:
            self.refuse("a packet that is no message")
        super().on_packet(packet)


@fault("RPC-2.10")
class TakesAnyTestId(ReferenceServer):
    def on_packet(self, packet):
        if packet.file_bytes is not None and self.is_json(packet.mime_type):
            packet.test_id = RPC_ID
        super().on_packet(packet)


@fault("RPC-2.11")
class SilentAboutGaps(ReferenceServer):
    def on_gap(self, gap):
        if gap.data.startswith(b"\xb3"):
            super().on_gap(gap)


@fault("RPC-2.11")
class OneErrorForEachLine(ReferenceServer):
    def on_gap(self, gap):
        for _ in range(max(1, gap.data.count(b"\n"))):
            self.in_gap = False
            super().on_gap(gap)


@fault("RPC-2.12")
class SilentAboutDamage(ReferenceServer):
    def on_gap(self, gap):
        if not gap.data.startswith(b"\xb3"):
            super().on_gap(gap)


@fault("RPC-2.12")
class TrustsTheLength(ReferenceServer):
    """Skips a damaged packet by the length that it claims."""

    def __init__(self, options):
        super().__init__(options)
        self.reader = TrustingReader()


class TrustingReader(PacketReader):
    def _take(self, final):
        items = []
        while self._buffer[:1] == b"\xb3":
            length = packet_length(self._buffer[:6])
            if not length or len(self._buffer) < length:
                break
            data, self._buffer = self._buffer[:length], self._buffer[length:]
            items.append(decode(data) or Foreign(data))
        waits = self._buffer[:1] == b"\xb3" and packet_length(self._buffer[:6]) != 0
        return items if waits and not final else items + super()._take(final)


@fault("RPC-2.13")
class EndlessPatience(ReferenceServer):
    patience = 1e6


@fault("RPC-2.13")
class GivesUpOne(ReferenceServer):
    """Of several packets that are incomplete, one behind the other, the first alone; then it waits for more bytes."""

    def on_time(self):
        if self.reader.incomplete and time.monotonic() >= self.last_input + self.patience:
            if b"\xb3" in self.reader._buffer[1:7]:
                self.last_input = math.inf
                return
        super().on_time()

    def wait_time(self):
        return None if self.last_input == math.inf else super().wait_time()


@fault("RPC-2.14")
class EofSettlesIt(ReferenceServer):
    """A piece with EOF ends the message that was abandoned before it."""

    def __init__(self, options):
        super().__init__(options)
        self.assembler = EofAssembler(options.max_bytes)


class EofAssembler(Assembler):
    def _extend(self, piece, eof):
        if eof and self._content:
            content, self._content = self._content + piece, b""
            return [content]
        return super()._extend(piece, eof)


@fault("RPC-2.14")
class WaitsForTheRest(ReferenceServer):
    def __init__(self, options):
        super().__init__(options)
        self.assembler = WaitingAssembler(options.max_bytes)


class WaitingAssembler(Assembler):
    """Takes what is broken for what is incomplete, until EOF."""

    def _refuse(self, reason, eof):
        content = self._content
        refusal = super()._refuse(reason, eof)
        if eof or len(content) > self._max_bytes:
            return refusal
        self._content, self._skipping = content, False
        return b""

    def add(self, piece, eof):
        return [outcome for outcome in super().add(piece, eof) if outcome != b"" or eof]


# Section 3: messages.


@fault("RPC-3.1")
class SilentAboutBadJson(ReferenceServer):
    def refuse_message(self, refused):
        if not refused.reason.startswith(("not valid JSON", "a message is")):
            super().refuse_message(refused)


@fault("RPC-3.1")
class IgnoresWhatFollows(ReferenceServer):
    def read_message(self, content):
        try:
            text = content.decode("utf-8")
            _, end = json.JSONDecoder().raw_decode(text)
            content = text[:end].encode("utf-8")
        except (ValueError, RecursionError):
            pass
        return super().read_message(content)


@fault("RPC-3.1")
class TakesLatin1(ReferenceServer):
    def read_message(self, content):
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            content = content.decode("latin-1").encode("utf-8")
        return super().read_message(content)


@fault("RPC-3.1")
class AcceptsHalfSurrogates(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if "surrogate" not in refused.reason:
                raise
            return {"msg": "List", "tests": [], "nonce": "?"}


@fault("RPC-3.2")
class InfersTheKind(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if "no msg" not in refused.reason or b"tests" not in content:
                raise
            return {"msg": "Run", "tests": [], "nonce": "n"}


@fault("RPC-3.2")
class IgnoresCase(ReferenceServer):
    def read_message(self, content):
        return super().read_message(content.replace(b'"list"', b'"List"'))


@fault("RPC-3.2")
class TakesDone(ReferenceServer):
    def on_message(self, message):
        if message["msg"] != "Done":
            super().on_message(message)


@fault("RPC-3.2")
class SilentAboutUnknownKinds(ReferenceServer):
    def refuse_message(self, refused):
        if not refused.reason.startswith("unknown msg") or not self.said_hello:
            super().refuse_message(refused)


@fault("RPC-3.3")
class RefusesUnknownMembers(ReferenceServer):
    def read_message(self, content):
        message = super().read_message(content)
        allowed = {"Hello": 3, "Goodbye": 1}.get(message["msg"], 3)
        try:
            if len(json.loads(content)) > allowed:
                raise Refused("an unknown member", message.get("nonce"))
        except RecursionError:
            pass
        return message


@fault("RPC-3.4")
class NonceIsOptional(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if "without a nonce" not in refused.reason or b'"nonce"' in content:
                raise
            return {"msg": "List", "tests": [], "nonce": ""}


@fault("RPC-3.4")
class NonceMayBeANumber(ReferenceServer):
    def read_message(self, content):
        return super().read_message(content.replace(b'"nonce": 7', b'"nonce": "7"'))


@fault("RPC-3.5")
class NoDoneForRefused(ReferenceServer):
    def refuse_message(self, refused):
        if refused.reason.startswith("tests is not"):
            refused.nonce = None
        super().refuse_message(refused)


@fault("RPC-3.5")
class NullIsAbsent(ReferenceServer):
    def read_message(self, content):
        return super().read_message(content.replace(b'"tests": null, ', b""))


@fault("RPC-3.6")
class DiesOfDepth(ReferenceServer):
    def read_message(self, content):
        if content.count(b"[") > 1000:
            os.abort()
        return super().read_message(content)


@fault("RPC-3.6")
class ShallowMessagesOnly(ReferenceServer):
    def read_message(self, content):
        if content.count(b"[") > 12:
            raise Refused("nested too deeply")
        return super().read_message(content)


@fault("RPC-3.7")
class ShortNonces(ReferenceServer):
    def send_done(self, nonce):
        super().send_done(nonce[:255])


@fault("RPC-3.7")
class AsciiNonces(ReferenceServer):
    """A nonce of other scripts is spoilt; the emoji of RPC-2.6 is not, for it is that rule's business."""

    def send_done(self, nonce):
        super().send_done(nonce.replace("ö", "o").replace("\0", ""))


@fault("RPC-3.8")
class LastMemberCounts(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if not refused.reason.endswith("twice"):
                raise
            message = json.loads(content)
            if message["msg"] in ("List", "Run"):
                message["tests"] = []
            return message


@fault("RPC-3.8")
class MsgMustBeFirst(ReferenceServer):
    def read_message(self, content):
        message = super().read_message(content)
        if message["msg"] == "Run" and content.startswith(b'{"tests"'):
            raise Refused("msg is not the first member", message["nonce"])
        return message


@fault("RPC-3.9")
class DropsNul(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if "U+0000" not in refused.reason:
                raise
            return {"msg": "List", "tests": [], "nonce": refused.nonce}


@fault("RPC-3.9")
class ShortIdsOnly(ReferenceServer):
    def read_message(self, content):
        message = super().read_message(content)
        if any(len(test_id) > 10_000 for test_id in message.get("tests", ())):
            raise Refused("an id that is too long", message["nonce"])
        return message


# Section 4: errors.


@fault("RPC-4.1")
class LosesPatience(ReferenceServer):
    errors = 0

    def refuse(self, reason):
        super().refuse(reason)
        self.errors += 1
        if self.errors == 200:
            self.status = 3


@fault("RPC-4.2")
class ErrorsAsHtml(ReferenceServer):
    def send_error(self, text):
        super().send_error(text, mime_type="text/html")


@fault("RPC-4.2")
class ErrorsWithAStatus(ReferenceServer):
    def send_error(self, text):
        super().send_error(text, file_name="complaint")


@fault("RPC-4.2")
class EmptyErrors(ReferenceServer):
    def send_error(self, text):
        super().send_error("")


@fault("RPC-4.3")
class TwoErrorsForAMessage(ReferenceServer):
    def refuse_message(self, refused):
        self.refuse("a message; the reason follows")
        super().refuse_message(refused)


@fault("RPC-4.3")
class TwoErrorsForAnEmptyMessage(ReferenceServer):
    def read_message(self, content):
        if not content:
            self.refuse("nothing")
        return super().read_message(content)


@fault("RPC-4.4")
class ErrorsComeLate(ReferenceServer):
    """Keeps an error until the next Done has left."""

    def __init__(self, options):
        super().__init__(options)
        self.kept = []

    def send_error(self, text):
        if self.said_hello:
            self.kept.append(text)
        else:
            super().send_error(text)

    def send_done(self, nonce):
        super().send_done(nonce)
        kept, self.kept = self.kept, []
        for text in kept:
            super().send_error(text)


@fault("RPC-4.4")
class ErrorsBehindTheirDone(ReferenceServer):
    def refuse_message(self, refused):
        if refused.nonce is not None and self.said_hello:
            self.send_done(refused.nonce)
        self.refuse(refused.reason)


@fault("RPC-4.2")
class ErrorsWithARoute(ReferenceServer):
    def send_error(self, text):
        super().send_error(text, route_code="0")


@fault("RPC-4.5")
class ErrorFlood(ReferenceServer):
    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests:
            for _ in range(20_000):
                self.refuse("nothing in particular")
        super().complete(request)


# Section 5: Hello and versions.


@fault("RPC-5.1")
class NoHello(ReferenceServer):
    def send_hello(self):
        pass


@fault("RPC-5.1")
class HelloWithoutNumbers(ReferenceServer):
    def send_hello(self):
        self.send_message('{"msg": "Hello", "version": 1}')


@fault("RPC-5.2")
class TwoHellos(ReferenceServer):
    def send_hello(self):
        super().send_hello()
        super().send_hello()

    def on_hello(self, maximum, minimum):
        if minimum <= 1:
            super().on_hello(maximum, minimum)
        else:  # RPC-5.6 counts the Hellos too
            super().send_hello()
            self.on_disjoint(maximum, minimum)


@fault("RPC-5.2")
class SpeaksFirst(ReferenceServer):
    def __init__(self, options):
        super().__init__(options)
        ReferenceServer.send_hello(self)

    def send_hello(self):
        pass


@fault("RPC-5.3")
class EqualVersionsOnly(ReferenceServer):
    def on_hello(self, maximum, minimum):
        if maximum != 1 and minimum <= 1:
            self.send_hello()
            self.on_disjoint(maximum, minimum)
        else:
            super().on_hello(maximum, minimum)


@fault("RPC-5.4")
class HelloIsOptional(ReferenceServer):
    def on_early_command(self, message):
        self.on_command(message)


@fault("RPC-5.4")
class EarlyCommandEndsIt(ReferenceServer):
    def on_early_command(self, message):
        self.refuse("a command before Hello")
        self.status = 1


@fault("RPC-5.5")
class AnswersEachHello(ReferenceServer):
    def on_second_hello(self):
        self.send_hello()
        super().on_second_hello()


@fault("RPC-5.5")
class SilentAboutSecondHello(ReferenceServer):
    def on_second_hello(self):
        pass


@fault("RPC-5.6")
class DisjointExitsWith0(ReferenceServer):
    def on_disjoint(self, maximum, minimum):
        super().on_disjoint(maximum, minimum)
        self.status = 0


@fault("RPC-5.6")
class DisjointWithoutHello(ReferenceServer):
    def on_hello(self, maximum, minimum):
        if minimum > 1:
            self.on_disjoint(maximum, minimum)
        else:
            super().on_hello(maximum, minimum)


@fault("RPC-5.6")
class DisjointGoesOn(ReferenceServer):
    def on_disjoint(self, maximum, minimum):
        self.log("no version in common; going on")


@fault("RPC-5.6")
class DisjointWithoutReason(ReferenceServer):
    def log(self, text):
        pass


@fault("RPC-5.7")
class MinAboveMax(ReferenceServer):
    def read_message(self, content):
        try:
            return super().read_message(content)
        except Refused as refused:
            if refused.reason != "Hello with min above max":
                raise
            return {"msg": "Hello", "max": 1, "min": 1}


@fault("RPC-5.7")
class FractionsAreIntegers(ReferenceServer):
    def read_message(self, content):
        return super().read_message(content.replace(b"1.0", b"1"))


@fault("RPC-5.8")
class DropsWhatFollowsHello(ReferenceServer):
    def on_items(self, items):
        had_hello = self.said_hello
        for item in items:
            if had_hello == self.said_hello:
                super().on_items([item])


# Section 6: List.


@fault("RPC-6.1")
class ListsAllButOne(ReferenceServer):
    def select_listed(self, tests):
        return super().select_listed(tests) if tests is not None else list(TESTS)[1:]


@fault("RPC-6.2")
class ListsAllAlways(ReferenceServer):
    def select_listed(self, tests):
        listed = super().select_listed(tests)
        return list(TESTS) if listed else listed


@fault("RPC-6.2")
class ListsTheFirstOnly(ReferenceServer):
    def select_listed(self, tests):
        listed = super().select_listed(tests)
        return listed if tests is None else listed[:1]


@fault("RPC-6.3")
class EmptyListIsAll(ReferenceServer):
    def select_listed(self, tests):
        return list(TESTS) if tests is not None and not tests else super().select_listed(tests)


@fault("RPC-6.4")
class ListsUnknownIds(ReferenceServer):
    def select_listed(self, tests):
        return list(TESTS) if tests is None else [i for i in dict.fromkeys(tests) if i in TESTS or i == "kit.unknown"]


@fault("RPC-6.4")
class UnknownIdsAreErrors(ReferenceServer):
    def select_listed(self, tests):
        if tests and "kit.unknown" in tests:
            self.refuse("an unknown id")
        return super().select_listed(tests)


@fault("RPC-6.5")
class ListsTwice(ReferenceServer):
    def select_listed(self, tests):
        return list(TESTS) if tests is None else [test_id for test_id in tests if test_id in TESTS]


@fault("RPC-6.6")
class ExistsIsNotRunnable(ReferenceServer):
    def send_exists(self, test_id, route):
        self.send(test_id=test_id, test_status="exists", route_code=route)


@fault("RPC-6.6")
class ExistsWithAFile(ReferenceServer):
    def send_exists(self, test_id, route):
        self.send(
            test_id=test_id, test_status="exists", runnable=True, route_code=route, file_name="x", file_bytes=b""
        )


# Section 7: Done.


@fault("RPC-7.1")
class NoDoneForList(ReferenceServer):
    def on_list(self, tests, nonce):
        self.send_done, kept = lambda nonce: None, self.send_done
        super().on_list(tests, nonce)
        self.send_done = kept


@fault("RPC-7.1")
class TwoDonesForList(ReferenceServer):
    def on_list(self, tests, nonce):
        super().on_list(tests, nonce)
        self.send_done(nonce)


@fault("RPC-7.1")
class NonceInUpperCase(ReferenceServer):
    def on_list(self, tests, nonce):
        super().on_list(tests, nonce.upper())


@fault("RPC-7.2")
class NoDoneForRun(ReferenceServer):
    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests:
            self.requests.remove(request)


@fault("RPC-7.2")
class TwoDonesForRun(ReferenceServer):
    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests:
            self.send_done(request.nonce)
        super().complete(request)


@fault("RPC-7.3")
class LastResultBehindDone(ReferenceServer):
    def complete(self, request):
        done = request in self.requests
        super().complete(request)
        if done and request not in self.requests and self.last_final:
            self.send(**self.last_final)
            self.last_final = None

    last_final = None

    def send_status(self, request, test_id, status):
        self.last_final = {"test_id": test_id, "test_status": status, "timestamp": self.now(), "route_code": request.route}
        super().send_status(request, test_id, status)


@fault("RPC-7.3")
class DoneBeforeExists(ReferenceServer):
    def on_list(self, tests, nonce):
        last = self.select_listed(tests)[-1:]
        super().on_list(tests, nonce)
        for test_id in last:
            self.send_exists(test_id, str(self.ordinal))


@fault("RPC-7.4")
class OneCommandAtATime(ReferenceServer):
    """Refuses a Run while another one is going."""

    def on_run(self, tests, nonce):
        if self.requests and len(tests or ()) > 0 and "no.such.test" in tests:
            raise Refused("busy", None)
        super().on_run(tests, nonce)


@fault("RPC-7.5")
class NoncesAreUnique(ReferenceServer):
    """Only the kit's 'same' is ever looked at: RPC-3 sends 'n' again and again."""

    def __init__(self, options):
        super().__init__(options)
        self.seen = set()

    def on_command(self, message):
        nonce = message["nonce"]
        if nonce == "same" and nonce in self.seen:
            raise Refused("a nonce that was used before")
        self.seen.add(nonce)
        super().on_command(message)


# Section 8: Run.


@fault("RPC-8.1")
class RunsAllButOne(ReferenceServer):
    def select_run(self, tests):
        return super().select_run(tests) if tests is not None else list(TESTS)[1:]


@fault("RPC-8.2")
class RunsANeighbour(ReferenceServer):
    def select_run(self, tests):
        selected = super().select_run(tests)
        known = [test_id for test_id in selected if test_id in TESTS]
        return selected + ["ref.Verdict.PassesToo"] if known == ["ref.Verdict.Passes"] == selected else selected


@fault("RPC-8.3")
class EmptyRunIsAll(ReferenceServer):
    def select_run(self, tests):
        return ["ref.Verdict.Passes"] if tests is not None and not tests else super().select_run(tests)


@fault("RPC-8.4")
class DropsUnknownIds(ReferenceServer):
    def finish_unknown(self, request, test_id):
        if test_id != "kit.unknown":
            super().finish_unknown(request, test_id)


@fault("RPC-8.4")
class SkipsUnknownIds(ReferenceServer):
    def finish_unknown(self, request, test_id):
        if test_id != "kit.unknown":
            return super().finish_unknown(request, test_id)
        self.attach(request, test_id, "reason", b"no test has this id")
        self.send_status(request, test_id, "skip")


@fault("RPC-8.4")
class UnknownWithoutCause(ReferenceServer):
    def finish_unknown(self, request, test_id):
        self.send_status(request, test_id, "fail")


@fault("RPC-8.4")
class EscapesUnknownIds(ReferenceServer):
    def finish_unknown(self, request, test_id):
        super().finish_unknown(request, test_id.replace("\n", "%0A"))


@fault("RPC-8.5")
class RunsOnce(ReferenceServer):
    def select_run(self, tests):
        return list(dict.fromkeys(super().select_run(tests)))


@fault("RPC-8.6")
class TwoFinals(ReferenceServer):
    def send_final(self, request, test_id, status):
        super().send_final(request, test_id, status)
        if status == "skip":
            super().send_final(request, test_id, status)


@fault("RPC-8.6")
class ForgetsTheCrashed(ReferenceServer):
    def send_final(self, request, test_id, status):
        if test_id != "ref.Edge.Crashes":
            super().send_final(request, test_id, status)


@fault("RPC-8.7")
class NoInprogress(ReferenceServer):
    def send_start(self, request, test_id):
        pass


@fault("RPC-8.7")
class InprogressTwice(ReferenceServer):
    def send_start(self, request, test_id):
        super().send_start(request, test_id)
        super().send_start(request, test_id)


@fault("RPC-8.7")
class AttachesBeforeStart(ReferenceServer):
    def send_start(self, request, test_id):
        self.attach(request, test_id, "note", b"about to start")
        super().send_start(request, test_id)


@fault("RPC-8.8")
class NoTimestamps(ReferenceServer):
    def now(self):
        return None


@fault("RPC-8.8")
class LocalTime(ReferenceServer):
    def now(self):
        return datetime.datetime.now().replace(tzinfo=datetime.timezone.utc)


@fault("RPC-8.8")
class TimeGoesBackwards(ReferenceServer):
    step = 0

    def now(self):
        self.step += 1
        return super().now() - datetime.timedelta(seconds=self.step)


@fault("RPC-8.9")
class NoRouteOnFinal(ReferenceServer):
    def send_final(self, request, test_id, status):
        self.send(test_id=test_id, test_status=status, timestamp=self.now())


@fault("RPC-8.9")
class RouteOfTheTest(ReferenceServer):
    def send_result(self, request, **fields):
        self.send(route_code=f"{request.route}/{fields['test_id'][:20]}", **fields)


@fault("RPC-8.9")
class ListWithoutRoute(ReferenceServer):
    def send_exists(self, test_id, route):
        super().send_exists(test_id, None)


@fault("RPC-8.10")
class OneRouteForAll(ReferenceServer):
    def send_result(self, request, **fields):
        self.send(route_code="0", **fields)


@fault("RPC-8.10")
class RunsAndListsCountApart(ReferenceServer):
    runs = 0

    def on_run(self, tests, nonce):
        self.runs += 1
        kept, self.ordinal = self.ordinal, self.runs
        super().on_run(tests, nonce)
        self.ordinal = kept


@fault("RPC-8.11")
class TagsWorkers(ReferenceServer):
    def send_result(self, request, **fields):
        super().send_result(request, test_tags={"worker-0"}, **fields)


@fault("RPC-8.12")
class SameIdAtOnce(ReferenceServer):
    def may_start(self, request, test_id):
        return len(self.executions) < self.options.jobs


@fault("RPC-8.13")
class SharesResults(ReferenceServer):
    """A test that an earlier Run waits for does not run again for a later one."""

    def select_run(self, tests):
        wanted = {test_id for request in self.requests for test_id in request.waiting}
        return [test_id for test_id in super().select_run(tests) if test_id not in wanted]


@fault("RPC-8.14")
class WaitsForTests(ReferenceServer):
    """Puts a List off until no test runs."""

    def __init__(self, options):
        super().__init__(options)
        self.put_off = []

    def on_list(self, tests, nonce):
        self.put_off.append((tests, nonce, self.ordinal))
        self.catch_up()

    def catch_up(self):
        while self.put_off and not self.executions:
            tests, nonce, self.ordinal = self.put_off.pop(0)
            super().on_list(tests, nonce)

    def on_exit(self, execution):
        super().on_exit(execution)
        self.start_tests()
        self.catch_up()


@fault("RPC-8.15")
class SkipIsSuccess(ReferenceServer):
    def send_final(self, request, test_id, status):
        super().send_final(request, test_id, "success" if status == "skip" else status)


@fault("RPC-8.15")
class XfailIsFail(ReferenceServer):
    def send_final(self, request, test_id, status):
        super().send_final(request, test_id, "fail" if status == "xfail" else status)


@fault("RPC-8.16")
class ExitIsSuccess(ReferenceServer):
    def verdict(self, execution):
        verdict = super().verdict(execution)
        return {"status": "success"} if execution.test_id == "ref.Edge.Exits" else verdict


@fault("RPC-8.16")
class CrashSpreads(ReferenceServer):
    """The test that ends next after a crash fails with it."""

    crashed = False

    def verdict(self, execution):
        verdict = super().verdict(execution)
        if execution.test_id.startswith("ref.Edge.Crashes"):
            self.crashed = True
        elif self.crashed and execution.test_id.startswith("ref.Verdict.Passes"):
            return {"status": "fail", "traceback": "the process had crashed"}
        return verdict


@fault("RPC-8.17")
class HangIsSkip(ReferenceServer):
    def verdict(self, execution):
        verdict = super().verdict(execution)
        return {"status": "skip", "reason": "took too long"} if execution.killed_for else verdict


@fault("RPC-8.17")
class HangSpreads(ReferenceServer):
    hung = False

    def verdict(self, execution):
        self.hung = self.hung or execution.killed_for is not None
        return {"status": "fail", "traceback": "timed out"} if self.hung else super().verdict(execution)


@fault("RPC-8.18")
class RunsTheReservedId(ReferenceServer):
    def leave_out_reserved(self, tests):
        return tests


@fault("RPC-8.18")
class RefusesAllOfTheRun(ReferenceServer):
    def leave_out_reserved(self, tests):
        super().leave_out_reserved(tests)
        return []


@fault("RPC-8.2")
class AddsASuccess(ReferenceServer):
    """A result that nobody asked for, and that is none of those that may be added."""

    def complete(self, request):
        if not request.waiting and not request.running and request in self.requests and request.ran:
            self.send_status(request, "ref.Suite.setup", "success")
        super().complete(request)


# Section 9: attachments.


@fault("RPC-9.1")
class NoTraceback(ReferenceServer):
    def attach(self, request, test_id, name, *rest, **fields):
        if name != "traceback" or test_id not in TESTS:
            super().attach(request, test_id, name, *rest, **fields)


@fault("RPC-9.1")
class NoTracebackOfTheHung(ReferenceServer):
    def attach_all(self, request, test_id, verdict):
        if test_id != "ref.Edge.Hangs":
            super().attach_all(request, test_id, verdict)


@fault("RPC-9.2")
class NoReason(ReferenceServer):
    def attach(self, request, test_id, name, *rest, **fields):
        if name != "reason":
            super().attach(request, test_id, name, *rest, **fields)


@fault("RPC-9.3")
class LosesOutput(ReferenceServer):
    def forward(self, execution, name, data):
        pass


@fault("RPC-9.3")
class SpoilsOutput(ReferenceServer):
    def forward(self, execution, name, data):
        super().forward(execution, name, data.decode("utf-8", "replace").encode("ascii", "replace"))


@fault("RPC-9.4")
class NoEofOnOutput(ReferenceServer):
    def end_output(self, request, test_id, name, mime_type):
        pass


@fault("RPC-9.4")
class EofOnEachPiece(ReferenceServer):
    def attach(self, request, test_id, name, data, eof=True, mime_type=TEXT):
        super().attach(request, test_id, name, data, True, mime_type)


@fault("RPC-9.5")
class AttachmentsWithoutType(ReferenceServer):
    def attach(self, request, test_id, name, data, eof=True, mime_type=TEXT):
        super().attach(request, test_id, name, data, eof, None if name == "stdout" else mime_type)


@fault("RPC-9.5")
class TracebackAsHtml(ReferenceServer):
    def attach(self, request, test_id, name, data, eof=True, mime_type=TEXT):
        super().attach(request, test_id, name, data, eof, "text/html" if name == "traceback" else mime_type)


@fault("RPC-9.5")
class TracebackInLatin1(ReferenceServer):
    def attach(self, request, test_id, name, data, eof=True, mime_type=TEXT):
        super().attach(request, test_id, name, data + b"\xe9" if name == "traceback" else data, eof, mime_type)


@fault("RPC-9.5")
class Mojibake(ReferenceServer):
    """All output is called text."""

    def attach_output(self, execution, parts):
        super().attach_output(execution, [(name, TEXT, data) for name, _, data in parts])

    def end_output(self, request, test_id, name, mime_type):
        super().end_output(request, test_id, name, TEXT)


@fault("RPC-9.6")
class AttachesBehindTheEnd(ReferenceServer):
    def send_final(self, request, test_id, status):
        super().send_final(request, test_id, status)
        self.attach(request, test_id, "usage", b"0.1 s")


@fault("RPC-9.7")
class OutputAtTheEnd(ReferenceServer):
    def forward(self, execution, name, data):
        execution.kept = getattr(execution, "kept", {})
        execution.kept[name] = execution.kept.get(name, b"") + data

    def finish(self, execution):
        for name, data in getattr(execution, "kept", {}).items():
            super().forward(execution, name, data)
        super().finish(execution)


@fault("RPC-9.9")
class LosesOctets(ReferenceServer):
    """Output ends where it is no text any more."""

    def attach_output(self, execution, parts):
        super().attach_output(execution, [part for part in parts if part[1] == TEXT])


@fault("RPC-9.9")
class OctetsInTheText(ReferenceServer):
    """A type for the whole, by how the output begins, is what is left to who has one attachment: bytes are escaped."""

    def attach_output(self, execution, parts):
        super().attach_output(
            execution,
            [(name.replace(".bin", ""), TEXT, data.decode("utf-8", "backslashreplace").encode()) for name, _, data in parts],
        )

    def end_output(self, request, test_id, name, mime_type):
        if not name.endswith(".bin"):
            super().end_output(request, test_id, name, TEXT)


@fault("RPC-9.8")
class PropertiesAsText(ReferenceServer):
    def attach_properties(self, request, test_id, properties):
        self.attach(request, test_id, "properties", "\n".join(map("=".join, properties.items())).encode())


@fault("RPC-9.8")
class PropertiesOfOtherTypes(ReferenceServer):
    def attach_properties(self, request, test_id, properties):
        content = b'{"seed": "42", "count": 1}'
        self.attach(request, test_id, "properties", content, mime_type="application/json")


# Section 10: the end of a session.


@fault("RPC-10.1")
class GoodbyeExitsWith1(ReferenceServer):
    def on_goodbye(self):
        self.status = 1


@fault("RPC-10.1")
class AnswersGoodbye(ReferenceServer):
    def on_goodbye(self):
        self.send_message('{"msg": "Goodbye"}')
        super().on_goodbye()


@fault("RPC-10.1")
class StaysAfterGoodbye(ReferenceServer):
    def on_goodbye(self):
        pass


@fault("RPC-10.2")
class FinishesFirst(ReferenceServer):
    """Goodbye waits for what is in flight, and its results are sent."""

    leaving = False

    def on_goodbye(self):
        self.leaving = True
        self.leave()

    def leave(self):
        if self.leaving and not self.requests:
            self.status = 0

    def complete(self, request):
        super().complete(request)
        self.leave()


@fault("RPC-10.2")
class ComplainsAtGoodbye(ReferenceServer):
    def on_goodbye(self):
        self.status = 4 if self.executions else 0


@fault("RPC-10.3")
class EndOfFileIsFine(ReferenceServer):
    def on_end_of_file(self):
        self.status = 0


@fault("RPC-10.3")
class EndOfFileInFlightIsFine(ReferenceServer):
    def on_end_of_file(self):
        self.status = 0 if self.executions else 1


@fault("RPC-10.4")
class LeavesTestsRunning(ReferenceServer):
    def execute(self, request, test_id):
        return Execution(request, test_id, dies_with_us=False)

    def clean_up(self):
        pass


@fault("RPC-10.5")
class ReadsBehindGoodbye(ReferenceServer):
    def on_items(self, items):
        for item in items:
            self.on_gap(item) if isinstance(item, Foreign) else self.on_packet(item)


@fault("RPC-10.6")
class GoodbyeNeedsHello(ReferenceServer):
    def on_goodbye(self):
        if not self.said_hello:
            raise Refused("Goodbye before Hello")
        super().on_goodbye()


@fault("RPC-10.7")
class TooManyWithoutDone(ReferenceServer):
    def refuse_message(self, refused):
        if refused.reason.startswith("more than"):
            refused.nonce = None
        super().refuse_message(refused)


@fault("RPC-10.7")
class FewerThanItSays(ReferenceServer):
    def __init__(self, options):
        super().__init__(options)
        self.options.max_ids -= 1


@fault("RPC-10.8")
class DiesOfLargeMessages(ReferenceServer):
    def refuse_message(self, refused):
        if refused.reason.startswith("longer than"):
            self.log("out of memory")
            self.status = 70
        super().refuse_message(refused)

