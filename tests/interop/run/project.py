"""A project of served programs in a folder of its own, and `hearth`, testr and stestr in it."""

import json
import os
import re
import shutil
import subprocess
import tempfile

import hearth_client

# stestr's words
WORDS = {"Passed": "success", "Skipped": "skip", "Failed": "fail", "Expected Fail": "xfail",
         "Unexpected Success": "uxsuccess"}


class Project:
    def __init__(self, *programs):
        self.path = tempfile.mkdtemp(prefix="hearth-run-")
        hearth = hearth_client.Server.hearth
        self.environment = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "200", "NO_COLOR": "1",
                            "PATH": f"{os.path.dirname(os.path.abspath(hearth))}:/usr/sbin:/usr/bin:/sbin:/bin",
                            "PYTHON": "hearth stream"}
        if programs:
            self.call("hearth", "init", *programs)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, text, mode="w"):
        with open(self.file(name), mode, encoding="utf-8") as file:
            file.write(text)

    def call(self, *command, status=0, stdin=subprocess.DEVNULL):
        """What it prints, if it returns what is expected."""
        done = subprocess.run(command, cwd=self.path, env=self.environment, stdin=stdin, capture_output=True,
                              timeout=240, check=False)
        out = done.stdout.decode("utf-8", "replace")
        assert done.returncode == status, f"{command} returned {done.returncode}\n{out}\n{done.stderr.decode()}"
        return out

    def start(self, *command, **options):
        return subprocess.Popen(command, cwd=self.path, env=self.environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)

    def hearth_run(self, *arguments, status=0):
        """{id: status} of `hearth run`, but for suites' tear-downs, which are no tests."""
        self.call("hearth", "run", "--json", "events", *arguments, status=status)
        return self.results()

    def results(self, tear_downs=False):
        with open(self.file("events"), encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        return {event["id"]: event["status"] for event in events
                if event["event"] == "result" and (tear_downs or not event["id"].endswith(".teardown"))}


def counts(results):
    """How many there are of each status."""
    statuses = list(results.values())
    return {status: statuses.count(status) for status in set(statuses)}


def stestr_project(*programs_in_it):
    project = Project(*programs_in_it)
    project.write(".stestr.conf", "[DEFAULT]\ntest_path=.\n")
    return project


def stestr_counts(printed):
    found = {WORDS[word]: int(number) for word, number in re.findall(r"^ - ([A-Z][A-Za-z ]+): (\d+)$", printed, re.M)}
    assert found, printed
    return {status: number for status, number in found.items() if number}


def testr_counts(printed):
    """(tests, failures, skips) of testr's last lines."""
    ran = re.search(r"^Ran (\d+)", printed, re.M)
    assert ran, printed
    failures = re.search(r"failures=(\d+)", printed)
    skips = re.search(r"skips=(\d+)", printed)
    return int(ran[1]), int(failures[1]) if failures else 0, int(skips[1]) if skips else 0
