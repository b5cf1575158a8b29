"""What a check is, and what it is given."""

import contextlib
import dataclasses
import json
import typing

from .process import ServerProcess
from .session import Failure, Session
from .wire import LARGEST_PIECE


@dataclasses.dataclass(frozen=True)
class Check:
    rule: str  # "RPC-6.2": the rule that the server breaks when the check fails
    title: str  # what the server must do
    function: typing.Callable
    needs: tuple = ()  # attributes of Ids that must not be empty
    after: tuple = ()  # rules without which this one cannot be judged
    should: bool = False  # the rule is a SHOULD: breaking it is a warning


CHECKS = []


def check(rule, title, needs=(), after=(), basis=("RPC-5.1", "RPC-7.1"), should=False):
    """Registers a check. `basis` comes before `after`: nearly every check needs an answered Hello and Lists that end."""

    def register(function):
        CHECKS.append(Check(rule, title, function, tuple(needs), tuple(dict.fromkeys([*basis, *after])), should))
        return function

    return register


@dataclasses.dataclass
class Ids:
    """What the kit was told of the tests behind the server. See conformance.py --help."""

    passing: list = dataclasses.field(default_factory=list)
    failing: list = dataclasses.field(default_factory=list)
    skipping: list = dataclasses.field(default_factory=list)
    xfailing: list = dataclasses.field(default_factory=list)
    crashing: list = dataclasses.field(default_factory=list)
    hanging: list = dataclasses.field(default_factory=list)
    printing: dict = dataclasses.field(default_factory=dict)  # id to text
    properties: dict = dataclasses.field(default_factory=dict)  # id to (key, value)
    binary: dict = dataclasses.field(default_factory=dict)  # id to bytes
    max_ids: int = 0
    max_bytes: int = 0

    @property
    def quick(self):
        """Ids of tests that end by themselves and at once."""
        ids = [*self.passing, *self.failing, *self.skipping, *self.xfailing, *self.printing, *self.properties, *self.binary]
        return [test_id for test_id in dict.fromkeys(ids) if test_id not in self.hanging]

    @property
    def started(self):
        """Ids of tests that start and end by themselves, in whatever way."""
        return [*self.quick, *self.crashing]

    @property
    def all(self):
        return list(dict.fromkeys([*self.started, *self.hanging]))

    @property
    def failures(self):
        return [*self.failing, *self.crashing, *self.hanging]

    @property
    def verdicts(self):
        """Id to the final status that it must have."""
        told = {"success": self.passing, "fail": self.failing, "skip": self.skipping, "xfail": self.xfailing}
        return {test_id: status for status, ids in told.items() for test_id in ids}

    @property
    def printing_and_hanging(self):
        return {test_id: text for test_id, text in self.printing.items() if test_id in self.hanging}


# What a check needs, by the options of conformance.py that tell it.
OPTIONS = {
    "passing": "--pass",
    "failing": "--fail",
    "skipping": "--skip",
    "xfailing": "--xfail",
    "crashing": "--crash",
    "hanging": "--hang",
    "printing": "--print",
    "binary": "--print-hex",
    "properties": "--property",
    "max_ids": "--max-ids",
    "max_bytes": "--max-bytes",
    "quick": "--pass, --fail, --skip, --xfail, --print or --property",
    "started": "--pass, --fail, --skip, --xfail, --print, --property or --crash",
    "all": "any option with an ID",
    "failures": "--fail, --crash or --hang",
    "verdicts": "--pass, --fail, --skip or --xfail",
    "printing_and_hanging": "one ID given to both --hang and --print",
}


class Kit:
    """Handed to each check."""

    def __init__(self, launch, ids, timeout, vectors, clock_skew):
        self.ids = ids
        self.clock_skew = clock_skew  # seconds that the server's clock may differ from ours
        self._launch = launch
        self._timeout = timeout
        self._vectors = vectors
        self.last_session = None

    @contextlib.contextmanager
    def connect(self):
        """A session with a new server; no Hello yet."""
        process = ServerProcess(self._launch, self._timeout)
        try:
            self.last_session = Session(process)
            yield self.last_session
        except Failure as failure:
            failure.stderr = process.stderr()
            raise
        finally:
            process.clear_away()

    @contextlib.contextmanager
    def open(self):
        """A session behind its Hello."""
        with self.connect() as session:
            session.hello()
            yield session

    def sooner_or_later(self, attempt, attempts=5):
        """For what a server can only show while a test hangs: its time limit may strike first on a busy machine, so
        attempt(session) returns None when it held and a Failure when it did not, which counts only if it never
        held."""
        for _ in range(attempts):
            with self.open() as session:
                failure = attempt(session)
                if failure is None:
                    return
                failure.stderr = session.process.stderr()
        raise failure

    def vectors(self, name, rule=None):
        """The cases of a file of spec/vectors/rpc, of one rule or of all."""
        with open(self._vectors / name, encoding="utf-8") as file:
            return [case for case in json.load(file) if rule in (None, case["rule"])]


def vector_bytes(value):
    """Bytes as the vectors write them: a string, {"hex"}, or a list of parts."""
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, dict):
        data = bytes.fromhex(value["hex"]) if "hex" in value else value["text"].encode("utf-8")
        return data * value.get("times", 1)
    return b"".join(vector_bytes(part) for part in value)


__all__ = ["CHECKS", "LARGEST_PIECE", "Check", "Ids", "Kit", "check", "vector_bytes"]
