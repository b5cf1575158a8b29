"""Runs programs through `hearth run` and reads its subunit v2 stream with python-subunit."""

import dataclasses
import os
import subprocess
import tempfile

import subunit
import testtools


@dataclasses.dataclass
class Result:
    status: str = None
    attachments: dict = dataclasses.field(default_factory=dict)  # name: bytes
    tags: frozenset = frozenset()

    def says(self, text):
        return any(text.encode() in content for content in self.attachments.values())

    def text(self, name):
        return self.attachments.get(name, b"").decode("utf-8", "replace")


class _Results(testtools.StreamResult):
    def __init__(self):
        super().__init__()
        self.by_id = {}

    def status(self, test_id=None, test_status=None, test_tags=None, file_name=None,
               file_bytes=None, **_):
        if test_id is None or test_status == "exists":
            return
        result = self.by_id.setdefault(test_id, Result())
        if file_name is not None:
            so_far = result.attachments.get(file_name, b"")
            result.attachments[file_name] = so_far + bytes(file_bytes or b"")
        if test_status is not None and test_status != "inprogress":
            assert result.status is None, f"two results for {test_id}"
            result.status = test_status
        result.tags |= frozenset(test_tags or ())


def read_stream(stream):
    results = _Results()
    subunit.ByteStreamToStreamResult(stream, non_subunit_name="foreign bytes").run(results)
    assert "foreign bytes" not in results.by_id, "foreign bytes in the stream"
    return results.by_id


def run(hearth, programs, *options, ids=None):
    """The results by id, and what `hearth run` printed."""
    with tempfile.TemporaryDirectory() as directory:
        stream = os.path.join(directory, "stream")
        command = [hearth, "run", "--subunit", stream, *options]
        if ids is not None:
            with open(os.path.join(directory, "ids"), "w", encoding="utf-8") as file:
                file.writelines(test_id + "\n" for test_id in ids)
            command += ["--load-list", file.name]
        done = subprocess.run(command + list(programs), capture_output=True, check=False, timeout=600)
        output = (done.stdout + done.stderr).decode("utf-8", "replace")
        assert done.returncode in (0, 1), f"exit {done.returncode}: {output}"
        with open(stream, "rb") as file:
            return read_stream(file), output


def list_ids(hearth, *programs):
    done = subprocess.run([hearth, "list", *programs], capture_output=True, check=True, timeout=300)
    return done.stdout.decode("utf-8").splitlines()
