"""JSON messages: strict reading (spec/rpc.md, section 3) and putting pieces together ([RPC-2.6] to [RPC-2.14])."""

import codecs
import json
import re

MAX_DEPTH = 64
MAX_NONCE = 65_536
KNOWN = ("msg", "nonce", "tests", "max", "min", "exit")


class Refused(Exception):
    """A message that is refused. `nonce` is set where a Done follows."""

    def __init__(self, reason, nonce=None):
        super().__init__(reason)
        self.reason, self.nonce = reason, nonce


class _Members(list):
    """An object as its (name, value) pairs: json would keep the last of two equal names."""


class _Inexact(float):
    """A number with a fraction or exponent."""


def _no_constant(name):
    raise ValueError(f"{name} is no JSON")


def read_json(content):
    """The members of the object that `content` is."""
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_Members,
            parse_constant=_no_constant,
            parse_float=_Inexact,
            parse_int=lambda digits: _Inexact(digits) if digits.startswith("-") else int(digits),
        )
    except RecursionError:
        raise Refused("nested too deeply") from None
    except ValueError as error:
        raise Refused(f"not valid JSON: {error}") from None
    if not isinstance(value, _Members):
        raise Refused("a message is a JSON object, this is something else")
    if _depth(value) > MAX_DEPTH:
        raise Refused(f"nested deeper than {MAX_DEPTH} levels")
    if re.search(rb"\\u[dD][89a-fA-F]", content) and any(map(_has_surrogate, _strings(value))):
        raise Refused("not valid JSON: half of a surrogate pair")
    return value


def _depth(value):
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [inner for outer in level for inner in _inner(outer) if isinstance(inner, list)]
    return depth


def _inner(value):
    if isinstance(value, _Members):
        return [inner for pair in value for inner in pair]
    return value if isinstance(value, list) else []


def _strings(value):
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        stack.extend(_inner(item))


def _has_surrogate(text):
    return any("\ud800" <= c <= "\udfff" for c in text)


def read_message(content, max_ids):
    """The message as a dict of its known members."""
    members = read_json(content)
    known = {}
    twice = None
    for name, value in members:
        if name in KNOWN:
            twice = name if name in known else twice
            known[name] = value
    kind = known.get("msg")
    if twice in ("msg", "nonce"):
        raise Refused(f"{twice} is there twice")
    if not isinstance(kind, str):
        raise Refused("there is no msg that is a string")
    if kind in ("List", "Run"):
        check_command(known, twice, max_ids)
    elif twice:
        raise Refused(f"{twice} is there twice")
    elif kind == "Hello":
        check_hello(known)
    elif kind == "Done":
        if not isinstance(known.get("nonce"), str):
            raise Refused("Done without a nonce that is a string")
    elif kind != "Goodbye":
        raise Refused(f"unknown msg {kind[:50]!r}")
    return known


def check_command(known, twice, max_ids):
    nonce = known.get("nonce")
    if not isinstance(nonce, str) or len(nonce.encode("utf-8")) > MAX_NONCE:
        raise Refused(f"{known['msg']} without a nonce that is a string")
    if twice:
        raise Refused(f"{twice} is there twice", nonce)
    tests = known.get("tests", [])
    if type(tests) is not list or not all(isinstance(test_id, str) for test_id in tests):
        raise Refused("tests is not an array of strings", nonce)
    if len(tests) > max_ids:
        raise Refused(f"more than {max_ids} tests", nonce)
    if known["msg"] == "Run" and not isinstance(known.get("exit", True), bool):
        raise Refused("exit is neither true nor false", nonce)
    if any("\0" in test_id for test_id in tests):
        raise Refused("a test id with U+0000", nonce)


def check_hello(known):
    numbers = [known.get("max"), known.get("min")]
    if not all(type(number) is int and 0 <= number < 2**32 for number in numbers):
        raise Refused("Hello needs max and min, integers from 0 to 4294967295")
    if numbers[1] > numbers[0]:
        raise Refused("Hello with min above max")


OPEN, WHOLE, BROKEN = "open", "whole", "broken"
_LITERALS = ("true", "false", "null", "-")


def progress(content):
    """Whether `content` is a whole JSON object, the beginning of one (or not yet known not to be), or neither."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(content)
        if not text.strip(" \t\r\n"):
            return OPEN
        if text.lstrip(" \t\r\n")[0] != "{":
            return BROKEN
        json.loads(text)
        return WHOLE
    except UnicodeDecodeError:
        return BROKEN
    except RecursionError:
        return BROKEN
    except json.JSONDecodeError as error:
        return OPEN if _cut_off(error, text) else BROKEN


def _cut_off(error, text):
    rest = text[error.pos :]
    if not rest.strip(" \t\r\n") or error.msg.startswith("Unterminated string"):
        return True
    if error.msg == "Expecting value":
        return any(literal.startswith(rest) for literal in _LITERALS)
    if error.msg.startswith("Invalid \\uXXXX escape"):
        return re.fullmatch(r"[\\uU0-9a-fA-F]{0,11}", rest) is not None
    return re.fullmatch(r"[-+0-9.eE]+", rest) is not None


def _begins_object(piece):
    return piece.lstrip(b" \t\r\n").startswith(b"{")


class Assembler:
    """add() a piece, get the messages and refusals that it completes: bytes and Refused."""

    def __init__(self, max_bytes):
        self._max_bytes = max_bytes
        self._content = b""
        self._eof_may_follow = False
        self._skipping = False

    @property
    def incomplete(self):
        return bool(self._content) or self._skipping

    def add(self, piece, eof):
        if self._skipping:
            if not _begins_object(piece):
                self._skipping = not eof
                return []
            self._skipping = False
        if self._eof_may_follow and not self._content and not piece.strip(b" \t\r\n"):
            self._eof_may_follow = not eof
            return []
        return self._extend(piece, eof)

    def _extend(self, piece, eof):
        continued = bool(self._content)
        self._content += piece
        if len(self._content) > self._max_bytes:
            return [self._refuse(f"longer than {self._max_bytes} bytes", eof)]
        begins = continued and _begins_object(piece)
        state = progress(self._content) if not eof or begins else WHOLE
        if eof and state != BROKEN:
            state = WHOLE
        if state == WHOLE:
            content, self._content = self._content, b""
            self._eof_may_follow = not eof
            return [content]
        if state == OPEN:
            return []
        refusal = self._refuse("this cannot become a JSON object", eof)
        if begins:
            self._skipping = False
            return [refusal, *self._extend(piece, eof)]
        return [refusal]

    def _refuse(self, reason, eof):
        self._content = b""
        self._eof_may_follow = False
        self._skipping = not eof
        return Refused(reason)
