#!/usr/bin/python3
"""Every row of the tables in tests/programs/README.md, through Hearth. TAP.

Usage: programs_test.py HEARTH README PROGRAM...
"""

import re
import sys

import served
import tap

ROW = re.compile(r"\| `(?P<id>.*)` \| (?P<does>.*) ?\| (?P<status>[a-z ]+) \| (?P<says>.*?) ?\|")


def rows_of(readme, program):
    with open(readme, encoding="utf-8") as file:
        section = file.read().split(f"\n## {program}\n")[1].split("\n## ")[0]
    rows = [ROW.fullmatch(line) for line in section.splitlines() if line.startswith("| `")]
    assert rows and all(rows), f"a row of {program} in {readme} is not understood"
    return [row.groupdict() for row in rows]


def check_row(checks, row, result):
    if result is None:
        checks.fail(row["id"], "no result")
        return
    problems = []
    if result.status not in row["status"].split(" or "):
        problems.append(f"is {result.status}, not {row['status']}")
    if row["says"] and not result.says(row["says"]):
        problems.append(f"does not say {row['says']!r}")
    checks.check(row["id"], not problems, "; ".join(problems) + "\n" + repr(result))


def check_program(checks, hearth, program, rows):
    name = program.rsplit("/", 1)[-1]
    limited = [row for row in rows if row["says"] == "time limit"]
    by_itself = {row["id"] for row in rows if row["id"].endswith(".teardown")}
    others = [row for row in rows if row not in limited]
    full = lambda selected: [f"{name}.{row['id']}" for row in selected if row["id"] not in by_itself]
    results, _ = served.run(hearth, [program], "--timeout", "120", ids=full(others))
    ended, _ = served.run(hearth, [program], "--timeout", "1", "--grace", "1", ids=full(limited))
    results.update(ended)
    for row in rows:
        check_row(checks, row, results.pop(f"{name}.{row['id']}", None))
    checks.check("no other result", not results, sorted(results))
    hidden = {row["id"] for row in rows if row["does"].startswith("hidden")}
    listed = sorted(f"{name}.{row['id']}" for row in rows if row["id"] not in hidden | by_itself)
    checks.check("all but the hidden are listed", sorted(served.list_ids(hearth, program)) == listed)


def main():
    hearth, readme, *programs = sys.argv[1:]
    checks = tap.Checks()
    for program in programs:
        check_program(checks, hearth, program, rows_of(readme, program.rsplit("/", 1)[-1]))
    return checks.done()


if __name__ == "__main__":
    sys.exit(main())
