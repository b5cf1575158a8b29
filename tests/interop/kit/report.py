"""Outcomes as lines: for people, and as TAP."""

from .runner import FAIL, OK, SKIP, UNJUDGED, WARN

STDERR_LINES = 20
MOST_RECEIVED = 12  # entries


def details(outcome):
    """What was sent, expected and received, for a check that failed."""
    sent = list(outcome.sent)
    if len(sent) > 8:
        sent = [*sent[:3], f"... {len(sent) - 6} more", *sent[-3:]]
    yield from _list("sent", sent)
    yield from _list("expected", [outcome.expected])
    received = list(outcome.received)
    if len(received) > MOST_RECEIVED:
        left_out = len(received) - MOST_RECEIVED + 1
        received = [*received[: MOST_RECEIVED // 2], f"... {left_out} more", *received[-(MOST_RECEIVED // 2 - 1) :]]
    yield from _list("received", received)
    if outcome.stderr.strip():
        yield from _list("stderr", outcome.stderr.strip().splitlines()[-STDERR_LINES:])


def _list(title, entries):
    for n, entry in enumerate(entries):
        for line in str(entry).splitlines() or [""]:
            yield f"  {title + ':' if n == 0 else '':10}{line}"


class Plain:
    def __init__(self, write):
        self._write = write
        self._counts = {OK: 0, FAIL: 0, WARN: 0, SKIP: 0, UNJUDGED: 0}

    def begin(self, count):
        pass

    def outcome(self, outcome):
        self._counts[outcome.result] += 1
        reason = f" ({outcome.reason})" if outcome.reason else ""
        self._write(f"{outcome.result:10} [{outcome.check.rule}] {outcome.check.title}{reason}")
        if outcome.result in (FAIL, WARN):
            for line in details(outcome):
                self._write(line)

    def end(self):
        self._write(", ".join(f"{count} {result}" for result, count in self._counts.items() if count))


class Tap:
    def __init__(self, write):
        self._write = write
        self._number = 0

    def begin(self, count):
        self._write(f"1..{count}")

    def outcome(self, outcome):
        self._number += 1
        mark = "not ok" if outcome.result == FAIL else "ok"
        warning = " # TODO the rule is a SHOULD" if outcome.result == WARN else ""
        mark = "not ok" if warning else mark
        skip = f" # SKIP {outcome.reason}" if outcome.result in (SKIP, UNJUDGED) else ""
        self._write(f"{mark} {self._number} - {outcome.check.rule} {outcome.check.title}{skip}{warning}")
        if outcome.result in (FAIL, WARN):
            for line in details(outcome):
                self._write(f"# {line}")

    def end(self):
        pass
