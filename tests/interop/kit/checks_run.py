"""Section 8: Run and its results."""

import collections
import datetime

from .check import check
from .session import FINAL, by_id, by_route, exists_ids, final_ids, test_runs
from .wire import RPC_ID

UNKNOWN = ["no.such.test", "kit.unknown", "ein Name mit Größe 🦊", "a\nb\t", "", "%41", "x" * 5000]
DONE = ("RPC-7.2", "RPC-7.3")
LEDGER = (*DONE, "RPC-8.6")


@check("RPC-8.1", "a Run without tests runs what a List without tests lists", needs=("all",), after=(*LEDGER, "RPC-6.1"))
def run_all(kit):
    with kit.open() as session:
        listed = set(exists_ids(session.list()))
        finished = set(final_ids(session.run()))
        if missing := sorted(listed - finished):
            raise session.fail("a final status for each listed id", f"none for {missing[:20]}")


@check("RPC-8.2", "a Run with tests runs these and no other", needs=("quick",), after=LEDGER)
def run_some(kit):
    with kit.open() as session:
        listed = set(exists_ids(session.list()))
        for wanted in (kit.ids.quick[:1], kit.ids.quick[1:]):
            finished = set(final_ids(session.run(wanted)))
            if missing := sorted(set(wanted) - finished):
                raise session.fail(f"a final status for each of {wanted}", f"none for {missing}")
            if others := sorted(finished & listed - set(wanted)):
                raise session.fail(f"results of {wanted} only", f"also of {others}")
            packets = session.results_of_runs()
            if added := [str(p) for p in packets if p.test_id not in listed and p.test_status in FINAL and p.test_status != "fail"]:
                raise session.fail("the status fail of each result that is added", added)


@check("RPC-8.3", "a Run of no tests runs none", after=DONE)
def run_none(kit):
    with kit.open() as session:
        if results := session.run([]):
            raise session.fail("Done and no result", [str(p) for p in results[:8]])


@check("RPC-8.4", "an unknown id is a fail under that id, with a traceback", after=("RPC-2.8", *DONE))
def run_unknown(kit):
    with kit.open() as session:
        runs = test_runs(session.run([*UNKNOWN, *kit.ids.passing[:1]]))
        for test_id in UNKNOWN:
            run = runs[test_id]
            if run.status != "fail" or not run.attachment("traceback"):
                raise session.fail(
                    f"the status fail and a traceback for {test_id!r:.80}", [str(p) for p in run.packets] or "nothing"
                )


@check("RPC-8.5", "an id that is asked for several times runs as often", needs=("passing",), after=LEDGER)
def run_repeatedly(kit):
    with kit.open() as session:
        wanted = kit.ids.passing[:1] * 3 + ["no.such.test"] * 2 + kit.ids.passing[1:2]
        finished = final_ids(session.run(wanted))
        finished = collections.Counter({test_id: n for test_id, n in finished.items() if test_id in wanted})  # RPC-8.2
        if finished != collections.Counter(wanted):
            raise session.fail(f"final statuses for {wanted}", str(dict(finished)))


@check("RPC-8.6", "each test run has exactly one final status", after=DONE)
def ledger(kit):
    with kit.open() as session:
        wanted = [*kit.ids.quick, *kit.ids.crashing, "no.such.test"]
        session.run(wanted)
        session.barrier()
        packets = session.results_of_runs()
        for test_id in wanted:
            statuses = [p.test_status for p in packets if p.test_id == test_id and p.test_status]
            finals = [status for status in statuses if status in FINAL]
            if len(finals) != 1 or statuses[-1] not in FINAL:
                raise session.fail(f"one final status of {test_id!r}, last", f"statuses {statuses}")


@check("RPC-8.7", "a test that starts has one inprogress, before everything else of it", needs=("started",), after=LEDGER)
def starts(kit):
    with kit.open() as session:
        runs = test_runs(session.run(kit.ids.started))
        for test_id in kit.ids.started:
            run = runs[test_id]
            if len(run.starts) != 1 or run.packets[0] is not run.starts[0]:
                raise session.fail(f"one inprogress of {test_id!r}, first", [str(p) for p in run.packets])


@check("RPC-8.8", "timestamps are there, are UTC, and never go backwards", needs=("started",), after=LEDGER)
def timestamps(kit):
    skew = datetime.timedelta(seconds=kit.clock_skew)
    with kit.open() as session:
        earliest = datetime.datetime.now(datetime.timezone.utc) - skew
        packets = session.run([*kit.ids.started, "no.such.test"])
        latest = datetime.datetime.now(datetime.timezone.utc) + skew
        for test_id, of_test in by_id(packets).items():
            for packet in of_test:
                if packet.test_status and packet.timestamp is None:
                    raise session.fail(f"a timestamp on each status of {test_id!r}", str(packet))
            times = [p.timestamp for p in of_test if p.timestamp is not None]
            if times != sorted(times):
                raise session.fail(f"timestamps of {test_id!r} in order", [str(t) for t in times])
            if times and not earliest <= times[0] <= times[-1] <= latest:
                raise session.fail(
                    f"timestamps of {test_id!r} in UTC, between {earliest} and {latest} (--clock-skew)",
                    [str(t) for t in times],
                )


@check("RPC-8.9", "an answer's packets carry one route code", after=DONE)
def one_route(kit):
    with kit.open() as session:
        for kind in ("List", "Run"):
            routes = by_route(session.answer(kind, [*kit.ids.quick, "no.such.test"]))
            if None in routes:
                raise session.fail(f"a route code on each packet of a {kind}", str(routes[None][0]))
            if len(routes) > 1:
                raise session.fail(f"one route code on all packets of a {kind}", str(sorted(routes)))


@check("RPC-8.10", "commands have different route codes", after=(*DONE, "RPC-8.9"))
def different_routes(kit):
    with kit.open() as session:
        seen = {}
        commands = [(kind, [*kit.ids.quick[:1], "no.such.test"]) for kind in ("Run", "List", "Run", "Run", "List")]
        for n, (kind, tests) in enumerate(commands, 1):
            for route in by_route(session.answer(kind, tests)):
                if route in seen:
                    raise session.fail(f"another route code than command {seen[route]}'s", f"{route!r} for command {n}")
                seen[route] = n


@check("RPC-8.11", "no worker-N tags are set", after=DONE)
def tags(kit):
    with kit.open() as session:
        for packet in session.list() + session.run([*kit.ids.quick, "no.such.test"]):
            if any(tag.startswith("worker-") for tag in packet.test_tags or ()):
                raise session.fail("no tag worker-N", str(packet))


@check("RPC-8.12", "a test id is running for one Run at a time, and once in it", needs=("started",), after=(*LEDGER, "RPC-8.5", "RPC-8.7"))
def one_at_a_time(kit):
    with kit.open() as session:
        # A test that hangs is running long enough for its second to start by mistake.
        tests = kit.ids.hanging[:1] * 2 or kit.ids.started * 10
        nonces = [session.command("Run", tests), session.command("Run", tests[:1])]
        session.wait_done(*nonces)
        running = {}
        for packet in session.results():
            if packet.test_status == "inprogress":
                if packet.test_id in running:
                    raise session.fail(f"the end of {packet.test_id!r} before its next start", [running[packet.test_id], str(packet)])
                running[packet.test_id] = str(packet)
            elif packet.test_status in FINAL:
                running.pop(packet.test_id, None)


@check("RPC-8.13", "Runs in flight together have complete results each", after=(*LEDGER, "RPC-7.4", "RPC-8.5", "RPC-8.9", "RPC-8.10"))
def runs_together(kit):
    with kit.open() as session:
        quick = kit.ids.quick
        requests = [
            [*quick, "no.such.test"],
            [*quick, *quick[:1]],
            [*kit.ids.crashing, *quick[-2:]],
            ["no.such.test", *quick[:2]],
            [*quick, "no.such.test"],
        ]
        session.wait_done(*[session.command("Run", tests) for tests in requests])
        asked = {test_id for tests in requests for test_id in tests}
        received = [
            collections.Counter({test_id: n for test_id, n in final_ids(packets).items() if test_id in asked})
            for packets in by_route(session.results()).values()
        ]
        # A Run of nothing has no packets, and so no route.
        expected = [collections.Counter(tests) for tests in requests if tests]
        if sorted(received, key=repr_sorted) != sorted(expected, key=repr_sorted):
            raise session.fail(
                [f"final statuses {repr_sorted(c)}" for c in sorted(expected, key=repr_sorted)],
                [f"final statuses {repr_sorted(c)}" for c in sorted(received, key=repr_sorted)],
            )


def repr_sorted(counter):
    return repr(sorted(counter.items()))


@check("RPC-8.14", "the server answers while a test hangs", needs=("hanging",), after=(*DONE, "RPC-8.7"))
def answers_meanwhile(kit):
    test_id = kit.ids.hanging[0]

    def attempt(session):
        session.command("Run", [test_id])
        session.wait(lambda: session.results(), f"inprogress of {test_id!r}")
        nonces = [session.command("List", tests) for tests in (None, [test_id])]
        session.wait_done(*nonces)
        finals = [p for p in session.results() if p.test_status in FINAL]
        last_done = max(session.dones(nonce)[0].index for nonce in nonces)
        if finals and finals[0].index < last_done:
            return session.fail("the Done of each List before the end of the test that hangs")
        return None

    kit.sooner_or_later(attempt)


@check("RPC-8.15", "success, fail, skip and xfail are told apart", needs=("verdicts",), after=LEDGER)
def verdicts(kit):
    with kit.open() as session:
        runs = test_runs(session.run(list(kit.ids.verdicts)))
        for test_id, status in kit.ids.verdicts.items():
            if runs[test_id].status != status:
                raise session.fail(f"{status} for {test_id!r}", f"{runs[test_id].status}")


@check("RPC-8.16", "a test that crashes is a fail, and no other test notices", needs=("crashing", "passing"), after=LEDGER)
def crashes(kit):
    with kit.open() as session:
        wanted = [*kit.ids.passing[:2], *kit.ids.crashing, *kit.ids.passing[2:]]
        for tests in (wanted, [*kit.ids.crashing, *wanted[:1]]):
            runs = test_runs(session.run(tests))
            for test_id in tests:
                status = "fail" if test_id in kit.ids.crashing else "success"
                if runs[test_id].status != status:
                    raise session.fail(f"{status} for {test_id!r}", [str(p) for p in runs[test_id].packets])


@check("RPC-8.17", "a test that hangs is a fail, and no other test notices", needs=("hanging", "passing"), after=LEDGER)
def hangs(kit):
    with kit.open() as session:
        runs = test_runs(session.run([*kit.ids.hanging, *kit.ids.passing]))
        runs.update(test_runs(session.run(kit.ids.passing[:1])))
        for test_id in [*kit.ids.hanging, *kit.ids.passing]:
            status = "fail" if test_id in kit.ids.hanging else "success"
            if runs[test_id].status != status:
                raise session.fail(f"{status} for {test_id!r}", [str(p) for p in runs[test_id].packets])


@check("RPC-8.18", "the RPC's own id is no test's: one error, no result, and Done", after=("RPC-4.4", "RPC-4.5", *LEDGER))
def reserved_id(kit):
    with kit.open() as session:
        wanted = [RPC_ID, *kit.ids.passing[:1]]
        nonce = session.command("Run", wanted)
        session.wait_done(nonce)
        session.barrier()
        if len(session.errors) != 1:
            raise session.fail(f"one error for {RPC_ID} in a Run", f"{len(session.errors)} errors")
        if results := [str(p) for p in session.packets if p.test_id == RPC_ID and (p.test_status or p.file_name == "traceback")]:
            raise session.fail(f"no result under {RPC_ID}", results)
        if missing := set(kit.ids.passing[:1]) - set(final_ids(session.results())):
            raise session.fail(f"a final status for {sorted(missing)}, which were asked for beside it")
        listed = session.command("List", [RPC_ID])
        session.wait_done(listed)
        if [p for p in session.packets if p.test_id == RPC_ID and p.test_status == "exists"]:
            raise session.fail(f"no exists packet for {RPC_ID}")
