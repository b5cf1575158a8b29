"""Sections 3 and 4: messages and errors."""

from .check import check, vector_bytes
from .session import as_json, shorten, shorten_text
from .wire import RPC_ID, encode_message


def refused(kit, session, rule):
    """Sends the invalid messages of a rule, one by one: each costs an error, and has a Done if and only if the
    vectors say so."""
    for case in kit.vectors("invalid.json", rule):
        before, results = len(session.errors), len(session.results_of_runs())
        done_before = len(session.dones())
        content = vector_bytes(case["message"])
        session.send_message(content, f"{case['name']}: {shorten(content)}")
        session.barrier()
        session.expect_error(before, case["name"])
        expected = 1 + ("nonce" in case)
        which = f"{'a' if expected == 2 else 'no'} Done for the refused message: {case['name']}"
        session.wait(lambda: len(session.dones()) - done_before >= expected, which)
        if len(session.dones()) - done_before > expected:
            raise session.fail(which)
        if len(session.results_of_runs()) > results:
            raise session.fail(f"no test run: {case['name']}")


def accepted(kit, session, rule):
    """Sends the valid commands of a rule: each has its Done, and none costs an error."""
    for case in kit.vectors("valid.json", rule):
        reading = case["reading"]
        if reading["msg"] not in ("List", "Run") or "tests" not in reading and reading["msg"] == "Run":
            continue
        before, done_before = len(session.errors), len(session.dones())
        content = vector_bytes(case["message"])
        session.send_message(content, f"{case['name']}: {shorten(content)}")
        nonce = reading["nonce"]
        nonce = nonce if isinstance(nonce, str) else vector_bytes(nonce).decode()
        session.wait(
            lambda: any(done.content.get("nonce") == nonce for done in session.dones()[done_before:]),
            f"Done with the nonce {shorten_text(nonce)}: {case['name']}",
        )
        session.barrier()
        if len(session.errors) > before:
            raise session.fail(f"no error: {case['name']}", [repr(e.text) for e in session.errors[before:]])


@check("RPC-3.1", "what is not one JSON object in UTF-8 is refused")
def bad_json(kit):
    with kit.open() as session:
        refused(kit, session, "RPC-3.1")


@check("RPC-3.2", "the kind of a message is its msg and nothing else")
def kinds(kit):
    with kit.open() as session:
        refused(kit, session, "RPC-3.2")
        before = len(session.errors)
        session.send_message({"msg": "Done", "nonce": "from the client"})
        session.barrier()
        session.expect_error(before, "a Done from the client")
        accepted(kit, session, "RPC-3.2")


@check("RPC-3.3", "unknown members are ignored", after=("RPC-4.4",))
def unknown_members(kit):
    with kit.open() as session:
        accepted(kit, session, "RPC-3.3")


@check("RPC-3.4", "a List or Run without a nonce is refused")
def missing_nonces(kit):
    with kit.open() as session:
        refused(kit, session, "RPC-3.4")


@check("RPC-3.5", "a List or Run whose tests are wrong is refused, and has its Done")
def wrong_types(kit):
    with kit.open() as session:
        refused(kit, session, "RPC-3.5")


@check("RPC-3.6", "deep nesting does no harm", after=("RPC-2.8",))
def deep_nesting(kit):
    with kit.open() as session:
        accepted(kit, session, "RPC-3.6")
        refused(kit, session, "RPC-3.6")
        before = len(session.errors)
        deep = '{"msg": "List", "tests": [], "nonce": "deep", "x": ' + "[" * 100_000 + "]" * 100_000 + "}"
        session.send_message(deep, "a List with 100,000 levels in an unknown member")
        session.barrier()
        session.wait(lambda: session.dones("deep") or len(session.errors) > before, "an error or a Done")


@check("RPC-3.7", "any nonce comes back as it was", after=("RPC-2.8",))
def nonces(kit):
    with kit.open() as session:
        accepted(kit, session, "RPC-3.7")
        for nonce in ("-", " leading and trailing ", "123", "null", "%s%n", "A" * 5000, "\u2028\ufeff\U0010ffff"):
            session.send_message({"msg": "List", "tests": [], "nonce": nonce})
            session.wait_done(nonce)


@check("RPC-3.8", "members come in any order; one of ours twice is refused", after=("RPC-7.2",))
def order_of_members(kit):
    with kit.open() as session:
        accepted(kit, session, "RPC-3.8")
        refused(kit, session, "RPC-3.8")


@check("RPC-3.9", "long ids are accepted, ids that subunit cannot carry are refused", after=("RPC-2.8", "RPC-4.4", "RPC-7.2"))
def extreme_ids(kit):
    with kit.open() as session:
        session.list(["x" * 65_536, "é" * 32_768])
        if session.errors:
            raise session.fail("no error for ids of 65,536 bytes", [repr(e.text) for e in session.errors])
        nonce = session.command("Run", ["a\0b"])
        session.wait_done(nonce)
        session.barrier()
        if not session.errors:
            raise session.fail("an error, then Done, for an id with U+0000")


GARBAGE = ("no JSON", {"msg": "Cancel"}, {"msg": "Run"}, {"msg": "Hello", "max": 1, "min": 1})


@check("RPC-4.1", "the session goes on, whatever is refused and however often")
def errors_do_not_end_a_session(kit):
    with kit.open() as session:
        for n in range(1000):
            session.send_message(GARBAGE[n % len(GARBAGE)], f"refused message {n + 1} of 1000")
        del session.sent[1:-1]
        session.barrier()
        for n in range(50):
            session.send(b"foreign\n" + encode_message(b"no JSON"), f"gap and refused message {n + 1} of 50")
        session.barrier()


@check("RPC-4.2", "errors are sent as the rule describes them", after=("RPC-3.1",))
def form_of_errors(kit):
    with kit.open() as session:
        session.send_message("no JSON")
        session.barrier()
        session.expect_error(0, "bad JSON")
        error = session.errors[0]
        for packet in error.packets:
            last = packet is error.packets[-1]
            good = (
                packet.test_id == RPC_ID
                and packet.test_status is None
                and packet.route_code is None
                and not packet.runnable
                and packet.file_name == "error"
                and packet.mime_type == "text/plain;charset=utf8"
                and packet.eof == last
            )
            if not good:
                raise session.fail(
                    f"test id {RPC_ID}, no status, no route code, not runnable, file name 'error', MIME type "
                    "'text/plain;charset=utf8', EOF on the last packet",
                    str(packet),
                )
        try:
            text = error.text.decode("utf-8")
        except UnicodeDecodeError:
            raise session.fail("a text in UTF-8", repr(error.text)) from None
        if not text.strip():
            raise session.fail("a text that is not empty", repr(text))


@check("RPC-4.3", "a refused message costs exactly one error", after=("RPC-3.1", "RPC-3.2", "RPC-3.4", "RPC-3.5", "RPC-4.4", "RPC-5.5"))
def one_error_each(kit):
    with kit.open() as session:
        for message in (*GARBAGE, {"msg": "Run", "tests": 1, "nonce": "n"}, {"nonce": "n"}, "[" * 100, "{", ""):
            before = len(session.errors)
            session.send_message(message)
            session.barrier()
            count = len(session.errors) - before
            if count != 1:
                raise session.fail(f"one error for {message!r}", f"{count} errors")


@check("RPC-4.4", "an error leaves before the answers to commands behind it", after=("RPC-3.1",))
def errors_come_first(kit):
    with kit.open() as session:
        for n in range(20):
            nonce = session.nonce()
            command = as_json({"msg": "List", "tests": [], "nonce": nonce})
            session.send(encode_message(b"no JSON") + encode_message(command), f"bad JSON, then at once {command.decode()}")
            session.wait_done(nonce)
            session.expect_error(n, "bad JSON")
            if session.errors[n].index > session.dones(nonce)[0].index:
                raise session.fail("the error before the Done of the command behind it")
        nonce = session.nonce()
        before = len(session.errors)
        session.send_message({"msg": "List", "tests": None, "nonce": nonce})
        session.wait(lambda: session.dones(nonce) or len(session.errors) > before, "an error, then Done")
        if session.dones(nonce) and (len(session.errors) == before or session.errors[before].index > session.dones(nonce)[0].index):
            raise session.fail("the error before the Done of the command that it refuses")


@check("RPC-4.5", "there is no error but for something refused", after=("RPC-4.4", "RPC-6.4", "RPC-7.2"))
def errors_for_nothing(kit):
    with kit.open() as session:
        for tests in ([], ["no.such.test"], [*kit.ids.quick, "no.such.test"]):
            session.answer("Run", tests)
            session.answer("List", tests)
        session.barrier()
        if session.errors:
            raise session.fail(
                "no error: nothing was refused", [f"{len(session.errors)} errors", repr(session.errors[0].text[:200])]
            )



