#!/usr/bin/python3
"""Checks a server of the test-server RPC against spec/rpc.md, rule by rule. See docs/conformance.md."""

import argparse
import os
import pathlib
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from kit import checks_attachments, checks_end, checks_hello, checks_list, checks_messages  # noqa: E402, F401
from kit import checks_packets, checks_run  # noqa: E402, F401
from kit.check import CHECKS, OPTIONS, Ids, Kit  # noqa: E402
from kit.process import launch_command  # noqa: E402
from kit.report import Plain, Tap  # noqa: E402
from kit.runner import FAIL, dependents, run_checks  # noqa: E402

EPILOG = """The server is started anew for each check, as SERVER COMMAND with its stdin and stdout on pipes. Checks that need an
id of a kind that was not given are skipped. Exit status: 0 no rule is broken, 1 a rule is, 2 usage."""


def section(check):
    return [int(number) for number in check.rule.partition("-")[2].split(".")]


CHECKS.sort(key=section)


def split_pair(text):
    key, separator, value = text.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"{text!r} has no '='")
    return key, value


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="conformance.py", usage="%(prog)s [options] -- SERVER COMMAND...", description=__doc__, epilog=EPILOG
    )
    add = parser.add_argument
    ids = {"action": "append", "default": [], "metavar": "ID"}
    add("--pass", dest="passing", help="a test that passes; repeatable, as all of these", **ids)
    add("--fail", dest="failing", help="a test that fails", **ids)
    add("--skip", dest="skipping", help="a test that skips itself", **ids)
    add("--xfail", dest="xfailing", help="a test that fails as expected", **ids)
    add("--crash", dest="crashing", help="a test that ends its process", **ids)
    add("--hang", dest="hanging", help="a test that never ends; give the server a time limit of about 2 s", **ids)
    pairs = {"action": "append", "default": [], "type": split_pair}
    add("--print", dest="printing", metavar="ID=TEXT", help="a test that prints TEXT; it may hang then", **pairs)
    add("--print-hex", dest="binary", metavar="ID=HEX", help="a test that prints these bytes, which are no UTF-8", **pairs)
    add("--property", dest="properties", metavar="ID=KEY=VALUE", help="a test that records a property", **pairs)
    add("--max-ids", type=int, default=0, metavar="N", help="the most ids in a message that the server accepts")
    add("--max-bytes", type=int, default=0, metavar="N", help="the largest message that the server accepts")
    add("--timeout", type=float, default=60, metavar="S", help="silence that is a failure (default: %(default)s)")
    add("--clock-skew", type=float, default=600, metavar="S", help="how far the server's clock may be off")
    add("--jobs", type=int, default=min(4, len(os.sched_getaffinity(0))), metavar="N", help="servers at a time")
    add("--only", action="append", default=[], metavar="RULE", help="check this rule only, RPC-6.2 or 6.2; repeatable")
    add("--list", action="store_true", help="list the rules, what each check needs and on which rules it depends")
    add("--tap", action="store_true", help="write TAP")
    add("--vectors", type=pathlib.Path, default=HERE.parents[1] / "spec" / "vectors" / "rpc", help=argparse.SUPPRESS)
    add("command", nargs="*", metavar="SERVER COMMAND", help="starts the server")
    options = parser.parse_args(arguments)
    if not options.list and not options.command:
        parser.error("no server command; it comes last, behind --")
    try:
        properties = {test_id: split_pair(pair) for test_id, pair in options.properties}
    except argparse.ArgumentTypeError as error:
        parser.error(f"--property: {error}")
    try:
        binary = {test_id: bytes.fromhex(text) for test_id, text in options.binary}
    except ValueError as error:
        parser.error(f"--print-hex: {error}")
    if options.command and not options.list and shutil.which(options.command[0]) is None:
        parser.error(f"the server command {options.command[0]!r} is no program that can be started")
    told = {name: getattr(options, name) for name in ("passing", "failing", "skipping", "xfailing", "crashing", "hanging")}
    options.ids = Ids(
        **told,
        printing=dict(options.printing),
        properties=properties,
        binary=binary,
        max_ids=options.max_ids,
        max_bytes=options.max_bytes,
    )
    rules = {check.rule for check in CHECKS}
    options.only = [rule if rule.startswith("RPC-") else f"RPC-{rule}" for rule in options.only]
    if unknown := [rule for rule in options.only if rule not in rules]:
        parser.error(f"no check for {', '.join(unknown)}; --list lists them")
    return options


def list_rules(write):
    for check in CHECKS:
        write(f"[{check.rule}] {check.title}")
        if check.needs:
            write(f"    needs: {', '.join(OPTIONS[need] for need in check.needs)}")
        if check.after:
            write(f"    cannot be judged if broken: {', '.join(check.after)}")
        if below := dependents(CHECKS, check.rule):
            write(f"    not judged if this is broken: {len(below)} rules" if len(below) > 12 else
                  f"    not judged if this is broken: {', '.join(sorted(below))}")


def main(arguments, launch=launch_command):
    options = parse_arguments(arguments)

    def write(line):
        print(line.encode("utf-8", "backslashreplace").decode("utf-8"), flush=True)

    if options.list:
        list_rules(write)
        return 0
    checks = [check for check in CHECKS if not options.only or check.rule in options.only]
    kit = Kit(launch(options.command), options.ids, options.timeout, options.vectors, options.clock_skew)
    report = (Tap if options.tap else Plain)(write)
    report.begin(len(checks))
    failed = False
    for outcome in run_checks(checks, kit, options.jobs):
        report.outcome(outcome)
        failed = failed or outcome.result == FAIL
    report.end()
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
