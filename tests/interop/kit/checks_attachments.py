"""Section 9: attachments."""

import json

from .check import check
from .session import test_runs

LEDGER = ("RPC-7.2", "RPC-7.3", "RPC-8.6")


@check("RPC-9.1", "a fail has a traceback", needs=("failures",), after=LEDGER)
def tracebacks(kit):
    with kit.open() as session:
        runs = test_runs(session.run(kit.ids.failures))
        for test_id in kit.ids.failures:
            if runs[test_id].status == "fail" and not runs[test_id].attachment("traceback"):
                raise session.fail(f"a traceback of {test_id!r}", [str(p) for p in runs[test_id].packets])


@check("RPC-9.2", "a skip has a reason", needs=("skipping",), after=LEDGER)
def reasons(kit):
    with kit.open() as session:
        runs = test_runs(session.run(kit.ids.skipping))
        for test_id in kit.ids.skipping:
            if runs[test_id].status == "skip" and not runs[test_id].attachment("reason"):
                raise session.fail(f"a reason of {test_id!r}", [str(p) for p in runs[test_id].packets])


@check("RPC-9.3", "what a test prints is its attachment stdout", needs=("printing",), after=LEDGER)
def output(kit):
    with kit.open() as session:
        runs = test_runs(session.run(list(kit.ids.printing)))
        for test_id, text in kit.ids.printing.items():
            if text.encode("utf-8") not in (runs[test_id].attachment("stdout") or b""):
                raise session.fail(f"{text!r} in stdout of {test_id!r}", [str(p) for p in runs[test_id].packets])


def attachments(kit, session):
    """Every attachment of a Run of all that ends by itself: (test id, name, pieces)."""
    runs = test_runs(session.run([*kit.ids.started, "no.such.test"]))
    for test_id, run in runs.items():
        for name in dict.fromkeys(piece.file_name for piece in run.pieces()):
            yield test_id, name, run.pieces(name)


@check("RPC-9.4", "the last piece of an attachment has EOF, and no other", after=LEDGER)
def ends_of_attachments(kit):
    with kit.open() as session:
        for test_id, name, pieces in attachments(kit, session):
            if not pieces[-1].eof or any(piece.eof for piece in pieces[:-1]):
                raise session.fail(
                    f"EOF on the last piece of {name!r} of {test_id!r}, and on no other", [str(p) for p in pieces]
                )


@check("RPC-9.5", "attachments have a MIME type, and text is text", after=LEDGER)
def types_of_attachments(kit):
    with kit.open() as session:
        for test_id, name, pieces in attachments(kit, session):
            mime_type = pieces[0].mime_type
            if mime_type is None or any(piece.mime_type not in (None, mime_type) for piece in pieces):
                raise session.fail(
                    f"one MIME type for {name!r} of {test_id!r}, from its first piece on", [str(p) for p in pieces]
                )
            if name in ("traceback", "reason") and mime_type != "text/plain;charset=utf8":
                raise session.fail(f"text/plain;charset=utf8 for {name!r} of {test_id!r}", mime_type)
            if mime_type == "text/plain;charset=utf8":
                try:
                    b"".join(piece.file_bytes for piece in pieces).decode("utf-8")
                except UnicodeDecodeError as error:
                    raise session.fail(f"UTF-8 in {name!r} of {test_id!r}", str(error)) from None


@check("RPC-9.6", "attachments come before the final status", after=LEDGER)
def place_of_attachments(kit):
    with kit.open() as session:
        tests = [*kit.ids.started, "no.such.test"]
        runs = test_runs(session.run(tests))
        for test_id in tests:
            last = runs[test_id].finals[-1].index
            late = [str(p) for p in runs[test_id].pieces() if p.index > last]
            if late:
                raise session.fail(f"nothing attached to {test_id!r} behind its final status", late)


@check(
    "RPC-9.7",
    "output is forwarded while the test runs",
    needs=("printing_and_hanging",),
    after=("RPC-7.2", "RPC-8.7", "RPC-8.14", "RPC-9.3"),
    should=True,
)
def output_meanwhile(kit):
    test_id, text = next(iter(kit.ids.printing_and_hanging.items()))

    def attempt(session):
        session.command("Run", [test_id])

        def printed():
            return text.encode("utf-8") in (test_runs(session.results())[test_id].attachment("stdout") or b"")

        session.wait(printed, f"{text!r} in stdout of {test_id!r}")
        session.barrier()
        if test_runs(session.results())[test_id].finals:
            return session.fail(f"stdout of {test_id!r}, then the Done of a List, then its final status")
        return None

    kit.sooner_or_later(attempt)


@check("RPC-9.8", "properties are one JSON object of strings", needs=("properties",), after=LEDGER)
def properties(kit):
    with kit.open() as session:
        runs = test_runs(session.run(list(kit.ids.properties)))
        for test_id, (key, value) in kit.ids.properties.items():
            pieces = runs[test_id].pieces("properties")
            try:
                found = json.loads(b"".join(piece.file_bytes for piece in pieces).decode("utf-8"))
            except ValueError:
                found = None
            good = isinstance(found, dict) and all(isinstance(v, str) for v in found.values())
            if not good or found.get(key) != value or pieces[0].mime_type != "application/json":
                raise session.fail(
                    f"an attachment properties of {test_id!r}, of the type application/json, with {key!r}: {value!r}",
                    [str(p) for p in runs[test_id].packets],
                )


@check("RPC-9.9", "output that is no text is attached as what it is", needs=("binary",), after=(*LEDGER, "RPC-9.3", "RPC-9.4", "RPC-9.5"))
def octets(kit):
    with kit.open() as session:
        runs = test_runs(session.run(list(kit.ids.binary)))
        for test_id, data in kit.ids.binary.items():
            run = runs[test_id]
            found = (run.attachment("stdout") or b"") + (run.attachment("stdout.bin") or b"")
            if data not in found:
                raise session.fail(
                    f"{data.hex()} in stdout and stdout.bin of {test_id!r}, one behind the other", [str(p) for p in run.packets]
                )
            for piece in run.pieces("stdout.bin")[:1]:
                if piece.mime_type != "application/octet-stream":
                    raise session.fail(f"application/octet-stream for stdout.bin of {test_id!r}", str(piece))
