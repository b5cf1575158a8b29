"""Repositories to record runs in, the tools that others read them with, and our own recorder, driven from outside."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile

import subunit.v2
from e2e import Skip, programs

TESTR_CONF = "[DEFAULT]\ntest_command=cat stream $IDOPTION\ntest_id_option=--load-list $IDFILE\ntest_list_option=--list\n"
SCHEMA = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support", "history", "inquest_schema.sql")
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "200"}


class Project:
    """A folder with a repository in it."""

    def __init__(self, *commands):
        self.path = tempfile.mkdtemp(prefix="hearth-history-")
        self.m_root = self.path  # a test may go on elsewhere
        self.write(".testr.conf", TESTR_CONF)
        self.write(".stestr.conf", "[DEFAULT]\ntest_path=.\n")
        for command in commands:
            if command == "inq init":
                self.make_inquest()
            else:
                self.call(*command.split())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.m_root, ignore_errors=True)

    def make_inquest(self):
        os.makedirs(self.file(".inquest/runs"))
        self.write(".inquest/format", "1\n")
        with open(SCHEMA, encoding="utf-8") as schema, sqlite3.connect(self.file(".inquest/metadata.db")) as database:
            database.executescript(schema.read())
        database.close()

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, content):
        with open(self.file(name), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def read(self, name):
        with open(self.file(name), "rb") as file:
            return file.read()

    def run(self, *command, stdin=b""):
        """What a command returns and prints."""
        done = subprocess.run(command, cwd=self.path, input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=ENVIRONMENT, timeout=300, check=False)
        return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")

    def call(self, *command, status=0, stdin=b""):
        """What it prints, if it returns what is expected."""
        returned, out, err = self.run(*command, stdin=stdin)
        assert returned == status, f"{command} returned {returned}\n{out.decode('utf-8', 'replace')}\n{err}"
        return out.decode("utf-8", "replace")


class Recorder:
    """tests/support/history/history_tool.cpp."""

    def __init__(self, project, create=True, limit=None, **options):
        self.process = subprocess.Popen([programs["history_tool"]], cwd=project.path, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, preexec_fn=limit)
        self.ask(do="open", directory=".", create=create, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def answer(self, **request):
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def ask(self, **request):
        answer = self.answer(**request)
        assert "error" not in answer, answer
        return answer

    def begin(self, **how):
        self.ask(do="record")
        self.ask(do="begin", **how)

    def result(self, test, status="success", **more):
        self.ask(do="result", id=test, status=status, **more)

    def end(self, **how):
        self.ask(do="end", **how)
        return self.ask(do="finish")["run"]


def record(project, results, **how):
    """Records a run: results are (id, status, seconds)."""
    with Recorder(project) as recorder:
        recorder.begin(**how)
        for test, status, seconds in results:
            recorder.result(test, status, seconds=seconds)
        return recorder.end()


def past(project):
    with Recorder(project, create=False) as recorder:
        return recorder.ask(do="past")


def stream(results, start):
    """The same results as subunit v2."""
    out = io.BytesIO()
    packets = subunit.v2.StreamResultToBytes(out)
    now = start
    for test, status, seconds in results:
        packets.status(test_id=test, test_status="inprogress", timestamp=now)
        now += seconds
        if status == "fail":
            packets.status(test_id=test, file_name="traceback", file_bytes=b"because", eof=True,
                           mime_type="text/plain;charset=utf8")
        packets.status(test_id=test, test_status=status, timestamp=now)
    return out.getvalue()


@contextlib.contextmanager
def small_disk(project, size):
    """A disk of `size` bytes at the project's folder `disk`."""
    folder = project.file("disk")
    os.mkdir(folder)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder],
                             stderr=subprocess.PIPE, check=False)
    if mounted.returncode != 0:
        raise Skip(mounted.stderr.decode("utf-8", "replace").strip())
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
