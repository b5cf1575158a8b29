"""One scripted session, and what came of it in a form that can be compared: the same script, run directly and over a
path, must give the same, attachment by attachment.

What may differ is taken out: process numbers, times, paths of temporary files, the order of tests that have nothing to
do with each other, and how an attachment was cut into packets.
"""

import difflib
import json
import os
import re
import zlib

from e2e import programs
from hearth_client import FINAL, Server

PROGRAMS = ["behaviours_googletest", "faults", "noise_at_load", "dies_at_load"]
BEHAVIOURS = "behaviours_googletest."

VERDICTS = [BEHAVIOURS + test for test in (
    "Verdict.Passes", "Verdict.FailsWithMessage", "Verdict.FailsTwice", "Verdict.Skips", "Verdict.RecordsProperties",
    "Fixture.IsTornDown", "SkippingFixture.BodyNeverRuns", "ExpensiveSuite.IsUsed", "FailingSuite.NeverRuns",
    "Names.\u00fcml\u00e4ut", "Names.with spaces", "Names.not%FFutf8")]
ENDS = [BEHAVIOURS + test for test in (
    "End.Aborts", "End.Segfaults", "End.LeavesWithStatus0", "End.LeavesWithStatus3", "End.KillsItself",
    "CrashingSuite.NeverRuns", "Process.LeavesChild", "Process.ClosesAllDescriptors")] + ["dies_at_load.load"]
NOISE = [BEHAVIOURS + test for test in (
    "Output.PrintsAndFails", "Output.PrintsNoNewline", "Output.PrintsPackets", "Output.PrintsNotUtf8",
    "Output.PrintsToAllDescriptors", "Output.ReadsStdinToItsEnd")] + ["faults.Output.Prints1Megabyte"]
UNKNOWN = BEHAVIOURS + "No.\u03a3uch \u2205 test"
TWICE = BEHAVIOURS + "Verdict.FailsWithMessage"
HANGS = BEHAVIOURS + "End.IgnoresTermForever"

NUMBERS = re.compile(r"\b\d+\b")
PLACES = re.compile(r"/tmp/[\w./-]+|0x[0-9a-f]+")
FEW_JOBS = ("--jobs", "2")


def play(server):
    """The script, from behind Hello to behind Goodbye; gives the exit status."""
    server.list()
    server.until_done(server.ask_list([VERDICTS[0], UNKNOWN, HANGS]))
    server.run(*VERDICTS)
    server.run(*ENDS)
    server.run(*NOISE)
    server.run(UNKNOWN, TWICE, TWICE)
    overlapping = server.ask_run(VERDICTS[:6]), server.ask_run(VERDICTS[:3] + NOISE[-1:]), server.ask_list([TWICE])
    server.until_done(*overlapping)
    server.send({"msg": "Run", "nonce": 7})  # refused
    server.until(lambda so_far: so_far.errors, "the refusal")
    server.ask_run([HANGS])
    server.until(lambda so_far: any(test_id == HANGS for test_id, _ in so_far.results), "a test in flight")
    return server.goodbye()


def leave(server):
    """Another script: the client goes away without a word while a test runs."""
    server.ask_run([HANGS])
    server.until(lambda so_far: any(test_id == HANGS for test_id, _ in so_far.results), "a test in flight")
    server.process.stdin.close()
    return server.wait()


def _content(name, content):
    text = content.decode("latin-1") if name.endswith(".bin") else content.decode("utf-8", "backslashreplace")
    if len(text) > 10_000:
        return [len(text), zlib.crc32(content)]
    if name in ("processes", "properties"):
        return NUMBERS.sub("N", text)
    return PLACES.sub("PLACE", text)


def _result(result):
    return {"started": result.started, "status": result.status,
            "attachments": {name: [result.mimes[name], name in result.closed, _content(name, bytes(content))]
                            for name, content in sorted(result.files.items())}}


def _packets(collector):
    """What each packet says beside its content, counted once for each kind."""
    seen = {(packet.id, packet.route, packet.status, packet.file, packet.mime, packet.runnable,
             packet.time is not None, tuple(sorted(packet.tags or ())))
            for packet in collector.packets if packet.status in FINAL | {"exists", "inprogress"}}
    return sorted(map(repr, seen))


def transcript(server, exit_status):
    """Everything that is to be the same over each path."""
    collector = server.collector
    return {
        "exit status": exit_status,
        "messages": sorted(json.dumps(message, sort_keys=True) for message in collector.messages),
        "errors": collector.errors,
        "faults": collector.faults,
        "lists": {route: sorted(ids) for route, ids in sorted(collector.listed.items())},
        "results": {f"{route}: {test_id}": [_result(result) for result in results]
                    for (test_id, route), results in sorted(collector.results.items())},
        "packets": _packets(collector),
    }


def differences(one, other):
    """Between two transcripts, as lines to read."""
    lines = [json.dumps(each, indent=1, sort_keys=True, default=str).splitlines() for each in (one, other)]
    return [line[:600] for line in difflib.unified_diff(*lines, "directly", "over the path", lineterm="", n=2)]


def directly(script=play):
    """The transcript of the script without anything between client and server."""
    with Server(*(programs[name] for name in PROGRAMS), options=FEW_JOBS) as server:
        return transcript(server, script(server))


def check_direct(expected):
    """The script did what it is there for: a comparison of two empty transcripts would hold too."""
    results = expected["results"]
    assert expected["exit status"] == 0 and not expected["faults"], expected
    assert len(expected["messages"]) == 10 and len(expected["errors"]) == 1, expected["messages"]
    of = {key.partition(": ")[2]: runs for key, runs in results.items()}
    assert all(run["status"] == "fail" for test in ENDS if "Process" not in test for run in of[test]), results
    assert len(of[TWICE]) > 0 and of[UNKNOWN][0]["status"] == "fail", results
    assert [run["status"] for runs in results.values() for run in runs].count(None) == 1, results
    assert os.path.basename(NOISE[-1]) in of and of[NOISE[-1]][0]["attachments"]["stdout"][2][0] == 1_000_000
