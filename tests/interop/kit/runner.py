"""Runs checks, each in a process of its own unless told otherwise, in an order in which what a check counts on has been judged before."""

import dataclasses
import os
import pickle
import select
import traceback
import typing

from .check import OPTIONS, Check, Kit
from .process import adopt_orphans
from .session import Failure

OK, FAIL, WARN, SKIP, UNJUDGED = "ok", "FAIL", "warn", "skip", "not judged"


@dataclasses.dataclass
class Outcome:
    check: Check
    result: str
    reason: str = ""  # of a skip, and of what could not be judged
    expected: str = ""
    received: typing.Sequence[str] = ()
    sent: typing.Sequence[str] = ()
    stderr: str = ""


def perform(check, kit):
    """In this very process."""
    try:
        check.function(kit)
        return Outcome(check, OK)
    except Failure as failure:
        stderr = getattr(failure, "stderr", "")
        result = WARN if check.should else FAIL
        return Outcome(check, result, "", str(failure.expected), failure.received, failure.sent, stderr)
    except Exception:  # a bug of the kit must not pass for a server's
        return Outcome(check, FAIL, "", "the kit to work", [f"an error in the kit itself:\n{traceback.format_exc()}"])


def missing_needs(check, ids):
    return [need for need in check.needs if not getattr(ids, need)]


class _Worker:
    def __init__(self, check, kit):
        self.check = check
        self.fd, write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            status = 1
            try:
                os.close(self.fd)
                adopt_orphans()
                outcome = perform(check, kit)
                with os.fdopen(write_end, "wb") as pipe:
                    pickle.dump(dataclasses.replace(outcome, check=None), pipe)
                status = 0
            finally:
                os._exit(status)
        os.close(write_end)

    def outcome(self):
        with os.fdopen(self.fd, "rb") as pipe:
            data = pipe.read()
        os.waitpid(self.pid, 0)
        if not data:
            return Outcome(self.check, FAIL, "", "the kit to work", ["its process to end early"])
        return dataclasses.replace(pickle.loads(data), check=self.check)


def run_checks(checks, kit: Kit, jobs=1):
    """Yields an Outcome for each check, as it is known. `jobs`: processes at a time; 0 for none but this one, whose
    children then have to be servers only."""
    if jobs == 0:
        adopt_orphans()
    waiting = list(checks)
    chosen = {check.rule for check in checks}
    results, workers = {}, {}
    while waiting or workers:
        for check in list(waiting):
            pending = [rule for rule in check.after if rule in chosen and rule not in results]
            if pending:
                continue
            broken = [rule for rule in check.after if results.get(rule) in (FAIL, UNJUDGED)]
            needs = missing_needs(check, kit.ids)
            if broken or needs:
                waiting.remove(check)
                outcome = (
                    Outcome(check, UNJUDGED, f"{', '.join(broken)} must hold first")
                    if broken
                    else Outcome(check, SKIP, f"not told: {', '.join(OPTIONS[need] for need in needs)}")
                )
                results[check.rule] = outcome.result
                yield outcome
            elif jobs == 0:
                waiting.remove(check)
                outcome = perform(check, kit)
                results[check.rule] = outcome.result
                yield outcome
            elif len(workers) < jobs:
                waiting.remove(check)
                worker = _Worker(check, kit)
                workers[worker.fd] = worker
        for fd in select.select(list(workers), [], [])[0] if workers else ():
            outcome = workers.pop(fd).outcome()
            results[outcome.check.rule] = outcome.result
            yield outcome


def dependents(checks, rule):
    """The rules that cannot be judged when `rule` is broken."""
    found, new = set(), {rule}
    while new:
        new = {check.rule for check in checks if new & set(check.after)} - found
        found |= new
    return found
