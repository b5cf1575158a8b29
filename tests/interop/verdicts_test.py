#!/usr/bin/python3
"""A client that shares no code with Hearth gets the verdicts of the plain programs, however it sends its messages.

usage: verdicts_test.py [--expected FILE]... PROGRAM... -- SERVER COMMAND...

PROGRAMs are GoogleTest programs that run to their end when started by hand; they are appended to SERVER COMMAND. FILE
has lines `ID -- REASON` for tests whose verdict may differ. Writes TAP."""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from kit.check import Kit  # noqa: E402
from kit.process import TIME_ZONE, adopt_orphans, launch_command  # noqa: E402
from kit.session import FINAL, Failure, as_json, exists_ids  # noqa: E402
from kit.wire import encode_message  # noqa: E402

SILENCE = 120  # seconds
RUNS_AT_ONCE = 6


def plain_verdicts(program):
    """Test id to status, as the program says when it is started by hand."""
    with tempfile.TemporaryDirectory() as directory:
        results = pathlib.Path(directory) / "results.json"
        with open(pathlib.Path(directory) / "output", "wb") as output:
            subprocess.run(
                [program, f"--gtest_output=json:{results}"],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, "TZ": TIME_ZONE},
                check=False,
            )
        if not results.exists():
            sys.exit(f"{program} left no results: it is no GoogleTest program, or did not run to its end")
        suites = json.loads(results.read_text(encoding="utf-8"))["testsuites"]
    name = os.path.basename(program)
    return {
        f"{name}.{test['classname']}.{test['name']}": plain_status(test)
        for suite in suites
        for test in suite["testsuite"]
        if test["status"] == "RUN"
    }


def plain_status(test):
    if test.get("failures"):
        return "fail"
    return "skip" if test["result"] == "SKIPPED" else "success"


def verdicts(session):
    """Test id to the list of its final statuses, for what was received so far."""
    found = collections.defaultdict(list)
    for packet in session.results():
        if packet.test_status in FINAL:
            found[packet.test_id].append(packet.test_status)
    return found


def send_byte_by_byte(session, data, description):
    session.sent.append(description)
    for at in range(len(data)):
        session.exchange(data[at : at + 1], lambda: True)


def list_all(kit, _):
    """A List, one byte a write."""
    with kit.open() as session:
        send_byte_by_byte(session, encode_message(as_json({"msg": "List", "nonce": "l"})), "List of all")
        session.wait_done("l")
        return {test_id: ["listed"] * count for test_id, count in exists_ids(session.results()).items()}


def run_all(kit, _):
    """One Run of all, one byte a write."""
    with kit.open() as session:
        send_byte_by_byte(session, encode_message(as_json({"msg": "Run", "nonce": "r"})), "Run of all")
        session.wait_done("r")
        return verdicts(session)


def runs_together(kit, ids):
    """Several Runs in flight, their messages in pieces of 100 bytes, without EOF; Lists between them."""
    with kit.open() as session:
        stream, nonces = b"", []
        for n in range(RUNS_AT_ONCE):
            for kind, tests in (("Run", ids[n::RUNS_AT_ONCE]), ("List", ids[:1])):
                nonces.append(session.nonce())
                message = {"msg": kind, "tests": tests, "nonce": nonces[-1]}
                stream += encode_message(as_json(message), piece_size=100, eof=False)
        session.send(stream, f"{RUNS_AT_ONCE} Runs of a part of all each, and as many Lists")
        session.wait_done(*nonces)
        return verdicts(session)


def runs_of_overlapping_sets(kit, ids):
    """Two Runs of all in flight, each in a single message of packets of one byte each for short, 64 kB for long."""
    with kit.open() as session:
        size = 1 if sum(map(len, ids)) < 4000 else 65_536
        nonces = [session.command("Run", ids, piece_size=size) for _ in range(2)]
        session.wait_done(*nonces)
        return {test_id: statuses[:1] for test_id, statuses in verdicts(session).items() if len(statuses) == 2}


def expected_differences(files):
    differing = {}
    for name in files:
        for line in pathlib.Path(name).read_text(encoding="utf-8").splitlines():
            if line.strip() and not line.startswith("#"):
                test_id, _, reason = line.partition(" -- ")
                differing[test_id.strip()] = reason
    return differing


def differences(plain, served, differing):
    for test_id in sorted(plain.keys() | served.keys()):
        if test_id in differing or test_id.endswith(".teardown"):
            continue
        expected = [plain[test_id]] if test_id in plain else []
        if served.get(test_id, []) != expected:
            yield f"{test_id}: by itself {expected or 'absent'}, served {served.get(test_id, 'absent')}"


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--expected", action="append", default=[])
    parser.add_argument("programs", nargs="+")
    if "--" not in arguments:
        parser.error("no server command; it comes last, behind --")
    options = parser.parse_args(arguments[: arguments.index("--")])
    command = [*arguments[arguments.index("--") + 1 :], *options.programs]

    adopt_orphans()
    plain = {}
    for program in options.programs:
        plain.update(plain_verdicts(program))
    differing = expected_differences(options.expected)
    kit = Kit(launch_command(command), None, SILENCE, None, None)
    modes = (list_all, run_all, runs_together, runs_of_overlapping_sets)
    print(f"1..{len(modes) + 1}", flush=True)
    print(f"{'ok' if plain else 'not ok'} 1 - {len(plain)} tests ran in {len(options.programs)} plain programs")
    failed = not plain
    for number, mode in enumerate(modes, 2):
        wanted = dict.fromkeys(plain, "listed") if mode is list_all else plain
        try:
            lines = list(differences(wanted, mode(kit, sorted(plain)), differing))
        except Failure as failure:
            lines = [f"expected {failure.expected}", *map(str, failure.received)]
        print(f"{'not ok' if lines else 'ok'} {number} - {mode.__doc__}")
        for line in lines[:50]:
            print(f"# {line}".encode("utf-8", "backslashreplace").decode())
        sys.stdout.flush()
        failed = failed or bool(lines)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
