"""Section 5: Hello and versions."""

from .check import check, vector_bytes
from .session import as_json, shorten
from .wire import encode_message

HELLO = {"msg": "Hello", "max": 1, "min": 1}


@check("RPC-5.1", "the client's Hello is answered with a Hello", basis=())
def hello(kit):
    with kit.connect() as session:
        session.hello()
        for message in session.hellos:
            numbers = [message.content.get(name) for name in ("max", "min")]
            if not all(type(n) is int and 0 <= n < 2**32 for n in numbers) or numbers[0] < numbers[1]:
                raise session.fail("integers max and min, min not above max", str(message.content))
        if session.hellos[0].content["min"] > 1:
            raise session.fail("a server that speaks version 1", str(session.hellos[0].content))


@check("RPC-5.2", "a server sends one Hello, and only after the client's", after=("RPC-3.2", "RPC-5.4"))
def one_hello(kit):
    with kit.connect() as session:
        session.send_message({"msg": "Cancel"})
        session.wait(lambda: session.errors or session.hellos, "an error, for an unknown message before Hello")
        if session.hellos:
            raise session.fail("no Hello before the client's")
        session.hello()
        session.barrier()
        session.list()
        if len(session.hellos) != 1:
            raise session.fail("one Hello", [str(m.content) for m in session.messages])


@check("RPC-5.3", "the highest common version is spoken")
def versions(kit):
    for maximum, minimum in ((9, 1), (4294967295, 0), (1, 0), (1, 1)):
        with kit.connect() as session:
            session.hello(maximum, minimum)
            session.barrier()


@check("RPC-5.4", "a List or Run before Hello is refused, and Hello may follow")
def commands_before_hello(kit):
    with kit.connect() as session:
        for n, message in enumerate(
            ({"msg": "List", "nonce": "early"}, {"msg": "Run", "tests": kit.ids.passing[:1], "nonce": "early"})
        ):
            session.send_message(message)
            session.expect_error(n, f"{message['msg']} before Hello")
        session.hello()
        session.barrier()
        if session.dones("early") or session.results_of_runs():
            raise session.fail("no Done and no result for a command before Hello")


@check("RPC-5.5", "a second Hello is refused and changes nothing")
def second_hello(kit):
    with kit.open() as session:
        for n, message in enumerate((HELLO, {**HELLO, "max": 9}, {"msg": "Hello", "max": 9, "min": 8})):
            session.barrier()  # whatever it said before has been read
            answered = len(session.hellos)
            session.send_message(message)
            session.barrier()
            session.expect_error(n, "a second Hello")
            if len(session.hellos) > answered:
                raise session.fail("no second Hello in return")


@check("RPC-5.6", "where no version is in common the server says Hello and why, and exits with a status other than 0")
def disjoint_versions(kit):
    with kit.connect() as session:
        stream = encode_message(as_json({"msg": "Hello", "max": 4294967295, "min": 4294967295}))
        stream += encode_message(as_json({"msg": "List", "nonce": "n"}))
        session.send(stream, "Hello of version 4294967295 only, then a List")
        session.read_to_end("the server to end, for it speaks no such version")
        if len(session.hellos) != 1:
            raise session.fail("the server's Hello")
        if session.dones() or session.results():
            raise session.fail("no answer to a command")
        status = session.process.exit_status()
        if status is None or status <= 0:
            raise session.fail("an exit status other than 0", f"exit status {status}")
        if not session.process.stderr().strip():
            raise session.fail("the reason on stderr", "nothing on stderr")


@check("RPC-5.7", "a Hello whose numbers are wrong is refused and counts as none")
def wrong_hellos(kit):
    with kit.connect() as session:
        for case in kit.vectors("invalid.json", "RPC-5.7"):
            before = len(session.errors)
            content = vector_bytes(case["message"])
            session.send_message(content, f"{case['name']}: {shorten(content)}")
            session.expect_error(before, case["name"])
        session.hello()
        session.barrier()


@check("RPC-5.8", "commands right behind the client's Hello are carried out")
def commands_behind_hello(kit):
    with kit.connect() as session:
        stream = encode_message(as_json(HELLO))
        stream += encode_message(as_json({"msg": "List", "tests": [], "nonce": "a"}))
        stream += encode_message(as_json({"msg": "List", "tests": ["no.such.test"], "nonce": "b"}))
        session.send(stream, "Hello and two Lists in one write")
        session.wait(lambda: session.hellos, "the server's Hello")
        session.wait_done("a", "b")
