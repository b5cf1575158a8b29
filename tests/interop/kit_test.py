#!/usr/bin/python3
"""Checks the conformance kit: the reference server breaks no rule, and each server of broken/faults.py breaks its own
rule and no other, apart from those that the kit cannot judge then. Writes TAP. Arguments: names of faults, for these
only; `--full` makes every check of every fault, which takes three times as long.

Servers are forked from this process instead of started: a kit's run takes a second or two, not fifteen. Forks of a
Python process cost by its size, so this one is kept small."""

import multiprocessing
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from broken.faults import FAULTS, VARIANTS  # noqa: E402
from broken.processes import TESTS  # noqa: E402
from broken.reference_server import serve  # noqa: E402
from conformance import CHECKS  # noqa: E402
from kit.check import Ids, Kit  # noqa: E402
from kit.process import Child  # noqa: E402
from kit.report import details  # noqa: E402
from kit.runner import FAIL, OK, SKIP, WARN, Outcome, dependents, run_checks  # noqa: E402

IDS = Ids(
    passing=["ref.Verdict.Passes", "ref.Verdict.PassesToo"],
    failing=["ref.Verdict.Fails"],
    skipping=["ref.Verdict.Skips"],
    xfailing=["ref.Verdict.FailsAsExpected"],
    crashing=["ref.Edge.Crashes", "ref.Edge.Exits"],
    hanging=["ref.Edge.Hangs"],
    printing={"ref.Output.Prints": "Größe: 3 µm", "ref.Edge.Hangs": "before the hang"},
    binary={"ref.Output.Binary": b"text \xc3\xbc\xff\x00more\xc3"},
    properties={"ref.Output.Records": ("seed", "42")},
    max_ids=150_000,
    max_bytes=9_000_000,
)
LIMITS = ["--limit", "0.5", "--max-ids", str(IDS.max_ids), "--max-bytes", str(IDS.max_bytes)]
SILENCE = 10  # seconds; what a server that keeps silent on purpose costs. A deadline, so generous
AT_A_TIME = 4 * len(os.sched_getaffinity(0))  # they wait more than they work
# The checks that cost the most time are made of the faults of their own sections only.
COSTLY = {"RPC-2.9", "RPC-2.12", "RPC-2.13", "RPC-4.1", "RPC-10.7", "RPC-10.8"}


def launch_fork(arguments):
    """A launcher, as kit.process.launch_command, of reference servers that are forked."""

    def launch(environment):
        stdin, to_server = os.pipe()
        from_server, stdout = os.pipe()
        stderr = tempfile.TemporaryFile()
        pid = os.fork()
        if pid == 0:
            become_server(arguments, environment, (stdin, stdout, stderr.fileno()))
        os.close(stdin)
        os.close(stdout)
        ended = []

        def wait(block):
            if not ended:
                found, status = os.waitpid(pid, 0 if block else os.WNOHANG)
                if found:
                    ended.append(os.waitstatus_to_exitcode(status))
            return ended[0] if ended else None

        return Child(pid, os.fdopen(to_server, "wb", 0), os.fdopen(from_server, "rb", 0), stderr, wait)

    return launch


def become_server(arguments, environment, fds):
    status = 70
    try:
        os.setsid()
        for target, fd in enumerate(fds):
            os.dup2(fd, target)
        os.closerange(3, 1024)
        os.environ["TZ"] = environment["TZ"]
        time.tzset()
        status = serve(arguments)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


def chosen(name, full):
    """The checks to make of a fault: those of its section, those of the sections on which everything rests, and one in
    four of the others, by turns. `full`: all."""
    if name not in FAULTS or full:
        return CHECKS
    section = FAULTS[name].rule.partition(".")[0]
    turn = list(FAULTS).index(name)

    def wanted(number, check):
        its_section = check.rule.partition(".")[0]
        if check.rule in COSTLY and its_section != section:
            return False
        return its_section in (section, "RPC-5", "RPC-7") or (number + turn) % 4 == 0

    return [check for number, check in enumerate(CHECKS) if wanted(number, check)]


def judge(job):
    """(name, lines) of what is wrong with the kit's judgement of a fault, or of the reference server (None)."""
    name, full = job
    arguments = LIMITS + (["--break", name] if name else [])
    vectors = HERE.parents[1] / "spec" / "vectors" / "rpc"
    kit = Kit(launch_fork(arguments), IDS, SILENCE, vectors, clock_skew=600)
    outcomes = list(run_checks(chosen(name, full), kit, jobs=0))
    rule = FAULTS[name].rule if name in FAULTS else None
    excused = dependents(CHECKS, rule) if rule else set()
    wrong = []
    for outcome in outcomes:
        checked = outcome.check.rule
        if checked == rule:
            if outcome.result != (WARN if outcome.check.should else FAIL):
                wrong.append(f"{checked}, which is broken, is {outcome.result!r}")
        elif outcome.result == FAIL:
            wrong += [f"{checked} fails too, and is not listed as depending on it", *details(outcome)]
        elif outcome.result == SKIP or outcome.result != OK and checked not in excused:
            wrong.append(f"{checked} is {outcome.result!r}: {outcome.reason}")
    return name, wrong


def command_line_faults():
    """What is wrong where the kit is not told enough."""
    wrong = []
    kit = Kit(launch_fork(LIMITS), Ids(), SILENCE, HERE.parents[1] / "spec" / "vectors" / "rpc", clock_skew=600)
    cheap = [check for check in CHECKS if check.rule not in COSTLY]
    for outcome in run_checks(cheap, kit, jobs=0):
        if outcome.result == FAIL:
            wrong += [f"without ids {outcome.check.rule} fails", *details(outcome)]
        if outcome.result == SKIP and not ("--" in outcome.reason or "any option" in outcome.reason):
            wrong.append(f"{outcome.check.rule} is skipped for {outcome.reason!r}, which is no option")
    kit_script = [sys.executable, HERE / "conformance.py"]
    missing = subprocess.run([*kit_script, "--", "/no/such/server"], capture_output=True, text=True)
    if missing.returncode != 2 or "/no/such/server" not in missing.stderr or "Traceback" in missing.stderr:
        wrong.append(f"a server that is not there: status {missing.returncode}, {missing.stderr!r}")
    many = Outcome(CHECKS[0], FAIL, "", "one", [f"packet {n}" for n in range(5000)])
    if len(list(details(many))) > 20:
        wrong.append("thousands of packets are shown")
    return wrong


def main(arguments):
    full = "--full" in arguments
    names = [name for name in arguments if name != "--full"] or [None, *VARIANTS, *FAULTS]
    jobs = [(name, full) for name in names]
    print(f"1..{len(names) + 2}", flush=True)
    wrong = command_line_faults()
    failed = bool(wrong)
    print(f"{'not ok' if wrong else 'ok'} 1 - the command line is judged, and nothing is known of the tests")
    for line in wrong:
        print(f"# {line}")
    with multiprocessing.get_context("fork").Pool(AT_A_TIME) as pool:
        for number, (name, wrong) in enumerate(pool.imap_unordered(judge, jobs, chunksize=1), 2):
            title = f"{name} is found out, and nothing else" if name in FAULTS else f"{name or 'the reference server'} breaks no rule"
            print(f"{'not ok' if wrong else 'ok'} {number} - {title}")
            for line in wrong:
                print(f"# {line}".encode("utf-8", "backslashreplace").decode())
            sys.stdout.flush()
            failed = failed or bool(wrong)
    unbroken = sorted({check.rule for check in CHECKS} - {fault.rule for fault in FAULTS.values()})
    print(f"{'not ok' if unbroken else 'ok'} {len(names) + 2} - each check has a fault that it finds")
    for rule in unbroken:
        print(f"# {rule} has none")
    return 1 if failed or unbroken else 0


if __name__ == "__main__":
    assert TESTS.keys() >= set(IDS.all)
    sys.exit(main(sys.argv[1:]))
