"""Section 10: the end of a session, and limits."""

from .check import check
from .session import FINAL, as_json
from .wire import encode_message

GOODBYE = {"msg": "Goodbye"}


def expect_exit(session, expected):
    session.read_to_end("the server to close its output and exit")
    status = session.process.exit_status()
    if status != expected:
        raise session.fail(f"exit status {expected}", "still running" if status is None else f"exit status {status}")


def in_flight(kit, session):
    """Starts a test that hangs; returns when it runs."""
    test_id = kit.ids.hanging[0]
    session.command("Run", [test_id, *kit.ids.passing[:1]])
    session.wait(lambda: any(p.test_id == test_id for p in session.results()), f"inprogress of {test_id!r}")


# A packet that comes after a List's Done may come after Goodbye too.
@check("RPC-10.1", "Goodbye ends the server with status 0, without a reply", after=("RPC-7.3",))
def goodbye(kit):
    with kit.open() as session:
        session.list()
        end = len(session.items)
        session.send_message(GOODBYE)
        expect_exit(session, 0)
        if [packet for packet in session.packets if packet.index >= end]:
            raise session.fail("nothing further")


@check(
    "RPC-10.2",
    "Goodbye with work in flight ends it, with status 0",
    needs=("hanging",),
    after=("RPC-8.7", "RPC-10.1"),
)
def goodbye_in_flight(kit):
    hanging = kit.ids.hanging[0]

    def attempt(session):
        in_flight(kit, session)
        session.send_message(GOODBYE)
        expect_exit(session, 0)
        if session.dones() or any(p.test_id == hanging and p.test_status in FINAL for p in session.results()):
            return session.fail("neither the result of the test that hangs nor a Done")
        return None

    kit.sooner_or_later(attempt)


@check("RPC-10.3", "end of file without Goodbye ends the server with status 1", after=("RPC-8.7",))
def end_of_file(kit):
    with kit.open() as session:
        session.list()
        session.close_input()
        expect_exit(session, 1)
    with kit.connect() as session:
        session.close_input()
        expect_exit(session, 1)
    if not kit.ids.hanging:
        return

    def attempt(session):
        in_flight(kit, session)
        session.close_input()
        expect_exit(session, 1)
        if session.dones():
            return session.fail("no Done")
        return None

    kit.sooner_or_later(attempt)


@check(
    "RPC-10.4",
    "no process of a test outlives the server",
    needs=("hanging",),
    after=("RPC-8.7", "RPC-10.1", "RPC-10.2", "RPC-10.3"),
)
def no_leftovers(kit):
    for end, status in (("Goodbye", 0), ("end of file", 1)):
        with kit.open() as session:
            in_flight(kit, session)
            if end == "Goodbye":
                session.send_message(GOODBYE)
            else:
                session.close_input()
            expect_exit(session, status)
            if left := session.process.leftovers():
                raise session.fail(f"no process left after {end}", f"processes {left}")


@check("RPC-10.5", "bytes behind Goodbye are ignored", after=("RPC-10.1",))
def bytes_behind_goodbye(kit):
    with kit.open() as session:
        stream = encode_message(as_json(GOODBYE)) + encode_message(as_json({"msg": "List", "nonce": "late"}))
        session.send(stream + b"no packet\n", "Goodbye, a List, and bytes that are no packet, in one write")
        expect_exit(session, 0)
        if session.dones() or session.errors or session.results():
            raise session.fail("no answer to what is behind Goodbye")


@check("RPC-10.6", "Goodbye is obeyed before Hello", after=("RPC-10.1",))
def goodbye_before_hello(kit):
    with kit.connect() as session:
        session.send_message(GOODBYE)
        expect_exit(session, 0)


@check("RPC-10.7", "a message with too many ids is refused, and has its Done", needs=("max_ids",), after=("RPC-2.9", "RPC-4.4"))
def too_many_ids(kit):
    def command(kind, nonce, count):
        content = f'{{"msg":"{kind}","nonce":"{nonce}","tests":["x"'.encode() + b',"x"' * (count - 1) + b"]}"
        session.send_message(content, f"a {kind} of {count} ids")
        session.wait_done(nonce)

    with kit.open() as session:
        for n, kind in enumerate(("List", "Run")):
            command(kind, kind, kit.ids.max_ids + 1)
            session.expect_error(n, "too many ids")
            session.barrier()
            if results := session.results_of_runs():
                raise session.fail("no test run", [str(p) for p in results[:8]])
        before = len(session.errors)
        command("List", "most", kit.ids.max_ids)
        session.barrier()
        if len(session.errors) > before:
            raise session.fail(f"no error for {kit.ids.max_ids} ids", repr(session.errors[-1].text))


@check("RPC-10.8", "a message of too many bytes is refused, and the session goes on", needs=("max_bytes",), after=("RPC-2.9",))
def too_many_bytes(kit):
    with kit.open() as session:
        content = b'{"msg":"List","nonce":"n","x":"' + b"x" * kit.ids.max_bytes + b'","tests":[]}'
        session.send_message(content, f"a List of {len(content)} bytes")
        session.barrier()
        session.expect_error(0, "too many bytes")
