"""Sections 6 and 7: List and Done."""

from .check import check
from .session import as_json, exists_ids
from .wire import encode_message

UNKNOWN = ["no.such.test", "kit.unknown", "ein Name mit Größe", "a\nb"]


@check("RPC-6.1", "a List without tests lists every test", needs=("all",))
def list_all(kit):
    with kit.open() as session:
        listed = exists_ids(session.list())
        missing = [test_id for test_id in kit.ids.all if test_id not in listed]
        if missing:
            raise session.fail(f"exists packets also for {missing}", f"for {len(listed)} ids: {sorted(listed)[:20]}")


@check("RPC-6.2", "a List with tests lists these and no other", needs=("all",), after=("RPC-7.3",))
def list_some(kit):
    with kit.open() as session:
        for wanted in (kit.ids.all[:1], kit.ids.all[1:], kit.ids.all):
            listed = exists_ids(session.list(wanted))
            if set(listed) != set(wanted):
                raise session.fail(f"exists packets for {wanted}", f"for {sorted(listed)[:20]}")


@check("RPC-6.3", "a List of no tests lists none")
def list_none(kit):
    with kit.open() as session:
        if listed := session.list([]):
            raise session.fail("Done and no exists packet", [str(p) for p in listed[:8]])


@check("RPC-6.4", "unknown ids are not listed and are no error", after=("RPC-4.4",))
def list_unknown(kit):
    with kit.open() as session:
        known = kit.ids.all[:1]
        listed = exists_ids(session.list(UNKNOWN + known))
        if set(listed) & set(UNKNOWN):
            raise session.fail(f"no exists packet for {UNKNOWN}", f"for {sorted(listed)}")
        session.barrier()
        if session.errors:
            raise session.fail("no error", [repr(error.text) for error in session.errors])


@check("RPC-6.5", "an id is listed at most once", needs=("all",), after=("RPC-7.3",))
def list_once(kit):
    with kit.open() as session:
        for tests in (None, kit.ids.all[:2] * 3):
            twice = {test_id: n for test_id, n in exists_ids(session.list(tests)).items() if n > 1}
            if twice:
                raise session.fail("each id once", f"more often: {twice}")


@check("RPC-6.6", "exists packets have an id, the status, the runnable flag, and no file", needs=("all",))
def form_of_exists(kit):
    with kit.open() as session:
        for packet in session.list(kit.ids.all):
            if packet.test_status != "exists" or not packet.runnable or packet.file_name is not None:
                raise session.fail("the status exists, runnable, no file content", str(packet))


@check("RPC-7.1", "a List has one Done, with its nonce", basis=("RPC-5.1",))
def done_of_list(kit):
    with kit.open() as session:
        nonces = [session.command("List", tests) for tests in ([], ["no.such.test"], None)]
        session.wait_done(*nonces)
        one_done_each(session, nonces)


@check("RPC-7.2", "a Run has one Done, with its nonce")
def done_of_run(kit):
    with kit.open() as session:
        nonces = [session.command("Run", tests) for tests in ([], ["no.such.test"], kit.ids.quick[:3])]
        session.wait_done(*nonces)
        one_done_each(session, nonces)


def one_done_each(session, nonces):
    barrier = session.command("List", [])
    session.wait_done(barrier)
    expected = sorted([*nonces, barrier])
    received = sorted(str(done.content.get("nonce")) for done in session.dones())
    if received != expected:
        raise session.fail(f"one Done for each of {expected}", f"Dones with {received}")


@check("RPC-7.3", "Done comes last", after=("RPC-6.3", "RPC-7.2"))
def done_comes_last(kit):
    with kit.open() as session:
        for kind in ("List", "Run"):
            session.answer(kind, [*UNKNOWN, *kit.ids.quick])
            done = session.dones()[-1].index
            session.barrier()
            session.barrier()
            if late := session.results(done):
                raise session.fail(f"nothing of the {kind} behind its Done", [str(p) for p in late])


@check("RPC-7.4", "commands may be in flight together", after=("RPC-2.8", "RPC-7.2"))
def commands_together(kit):
    with kit.open() as session:
        stream, nonces = b"", []
        for n in range(40):
            nonces.append(session.nonce())
            tests = [] if n % 4 == 0 else [*kit.ids.quick[:2], "no.such.test"]
            message = {"msg": "List" if n % 2 else "Run", "tests": tests, "nonce": nonces[-1]}
            stream += encode_message(as_json(message))
        session.send(stream, "20 Runs and 20 Lists in one write")
        session.wait_done(*nonces)


@check("RPC-7.5", "a nonce may be used again", after=("RPC-7.2",))
def nonces_again(kit):
    with kit.open() as session:
        tests = kit.ids.quick[:1]
        for _ in range(2):
            session.send_message({"msg": "Run", "tests": tests, "nonce": "same"})
            session.send_message({"msg": "List", "tests": tests, "nonce": "same"})
        session.wait(lambda: len(session.dones("same")) == 4, "four Dones with the nonce 'same'")
        session.send_message({"msg": "List", "tests": [], "nonce": "same"})
        session.wait(lambda: len(session.dones("same")) == 5, "a fifth Done with the nonce 'same'")
