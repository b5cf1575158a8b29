"""Section 2: packets."""

from .check import check
from .session import as_json, exists_ids
from .wire import RPC_ID, encode, encode_message

LIST = {"msg": "List", "tests": []}


def list_of_none(session, **members):
    return {**LIST, "nonce": session.nonce(), **members}


@check("RPC-2.1", "the output is packets only, from the first byte to the last", after=("RPC-7.2", "RPC-10.1"))
def only_packets(kit):
    with kit.open() as session:
        session.list()
        ids = [*kit.ids.printing, *kit.ids.failing, *kit.ids.crashing, *kit.ids.passing]
        session.wait_done(session.command("Run", ids or ["no.such.test"]))
        session.send_message("no JSON")
        session.barrier()
        session.send_message({"msg": "Goodbye"})
        session.read_to_end()
        if session.foreign:
            raise session.fail("packets and nothing else", [str(item) for item in session.foreign])


@check("RPC-2.2", "messages are sent in packets as the rule describes them")
def form_of_messages(kit):
    with kit.open() as session:
        session.barrier()
        for message in session.messages:
            last = message.packets[-1]
            for packet in message.packets:
                good = (
                    packet.test_id == RPC_ID
                    and packet.test_status is None
                    and not packet.runnable
                    and packet.file_name == "message"
                    and packet.mime_type == "application/json"
                    and packet.eof == (packet is last)
                )
                if not good:
                    raise session.fail(
                        f"test id {RPC_ID}, no status, not runnable, file name 'message', MIME type "
                        "'application/json', EOF on the last packet only",
                        str(packet),
                    )


@check("RPC-2.4", "any file name and any route code are accepted on a message", after=("RPC-2.8",))
def any_file_name(kit):
    with kit.open() as session:
        for name in ("message", "m", "request.json", "", "ein Name mit Größe", "../../etc/passwd", "n" * 5000):
            message = list_of_none(session)
            session.send_message(message, file_name=name)
            session.wait_done(message["nonce"])
        for route in ("0", "1/2/3", "r" * 300):
            message = list_of_none(session)
            session.send_message(message, route_code=route)
            session.wait_done(message["nonce"])


@check("RPC-2.5", "the MIME type is compared without case and parameters; later pieces need none")
def mime_types(kit):
    with kit.open() as session:
        for mime_type in (
            "application/json;charset=utf8",
            "application/json; charset=utf-8",
            'Application/JSON ; charset="UTF-8"; x=y',
        ):
            message = list_of_none(session)
            session.send_message(message, mime_type=mime_type)
            session.wait_done(message["nonce"])
        message = list_of_none(session)
        content = as_json(message)
        session.send(
            encode_message(content[:9], eof=False) + encode_message(content[9:], mime_type=None),
            f"message {content.decode()} in two pieces, the second without a MIME type",
        )
        session.wait_done(message["nonce"])


@check("RPC-2.6", "a message may be split over packets at any byte")
def split_messages(kit):
    with kit.open() as session:
        nonces = []
        length = len(as_json(list_of_none(session, nonce="kit-é🦊-00")))
        for at in range(1, length):
            nonces.append(f"kit-é🦊-{at:02}")
            content = as_json(list_of_none(session, nonce=nonces[-1]))
            pieces = encode_message(content[:at], eof=False) + encode_message(content[at:])
            session.send(pieces, f"message {content.decode()} in pieces of {at} and {length - at} bytes")
        nonces.append(session.nonce())
        session.send_message(list_of_none(session, nonce=nonces[-1]), piece_size=1)
        session.wait_done(*nonces)


@check("RPC-2.7", "a message without EOF is complete when it is a whole object")
def messages_without_eof(kit):
    with kit.open() as session:
        message = list_of_none(session)
        session.send_message(message, eof=False)
        session.wait_done(message["nonce"])
        session.send(
            encode(test_id=RPC_ID, file_name="message", file_bytes=b"", mime_type="application/json", eof=True),
            "an empty piece with EOF",
        )
        for piece_size in (1, 7, 10):
            message = list_of_none(session, nonce=f'}}"\\{session.nonce()}{{', x={"y": [{}]})
            session.send_message(message, piece_size=piece_size, eof=False)
            session.wait_done(message["nonce"])


@check("RPC-2.8", "how bytes arrive has no meaning")
def portions_of_bytes(kit):
    with kit.connect() as session:
        hello = encode_message(as_json({"msg": "Hello", "max": 1, "min": 1}))
        nonce = session.nonce()
        stream = hello + encode_message(as_json(list_of_none(session, nonce=nonce)))
        session.sent.append("Hello and a List of nothing, each byte after the one before has been read")
        for at in range(len(stream)):
            session.exchange(stream[at : at + 1], lambda: True, tolerate_end=True)
            session.process.wait_until_read()
        session.wait_done(nonce)
        nonces = [session.nonce() for _ in range(200)]
        stream = b"".join(encode_message(as_json(list_of_none(session, nonce=nonce))) for nonce in nonces)
        session.send(stream[:-30], "200 Lists of nothing in one write, but for the last 30 bytes")
        session.send(stream[-30:], "these 30 bytes")
        session.wait_done(*nonces)


@check("RPC-2.9", "messages of many packets are accepted", after=("RPC-2.8", "RPC-4.4", "RPC-6.2"))
def large_messages(kit):
    with kit.open() as session:
        ids = [f"kit.no-such-suite.{'x' * 40}.no-such-test-{n:06}" for n in range(100_000)]
        content = as_json(list_of_none(session, nonce="large", tests=ids + kit.ids.passing[:1]))
        session.send_message(content, f"a List of {len(ids)} unknown ids and {kit.ids.passing[:1]}", piece_size=1_000_000)
        session.wait_done("large")
        session.barrier()
        if session.errors:
            raise session.fail("no error", [repr(error.text[:200]) for error in session.errors])
        if kit.ids.passing and kit.ids.passing[0] not in exists_ids(session.results()):
            raise session.fail(f"an exists packet for {kit.ids.passing[0]}")


@check("RPC-2.10", "a client's packets that are not RPC packets are ignored", after=("RPC-4.4",))
def packets_of_other_kinds(kit):
    with kit.open() as session:
        some = (kit.ids.passing or ["some.test.id"])[0]
        for fields in (
            {"test_id": some, "test_status": "inprogress"},
            {"test_id": some, "test_status": "success", "runnable": True, "test_tags": {"a", "worker-1"}},
            {"test_id": some, "file_name": "message", "file_bytes": b'{"msg": "Goodbye"}', "mime_type": "application/json", "eof": True},
            {"file_name": "stdout", "file_bytes": b"text", "mime_type": "text/plain;charset=utf8", "eof": True},
            {"test_status": "exists"},
            {"route_code": "7"},
            {},
        ):
            session.send(encode(**fields), f"a packet with {fields}")
        session.barrier()
        if session.errors:
            raise session.fail("no error", [repr(error.text[:200]) for error in session.errors])
        if results := session.results_of_runs():
            raise session.fail("no result", [str(packet) for packet in results])


@check("RPC-2.11", "each gap of foreign bytes costs one error", after=("RPC-4.4",))
def gaps(kit):
    noise = bytes(byte for n in range(100_000) if (byte := n * 7919 % 251) != 0xB3)
    cases = (
        (b"a line of text\n", "a line of text"),
        (b"several\nlines\n\nof text\n", "several lines of text"),
        (noise + b"\n", "100 kB of bytes of all values but the signature's"),
        (b"text without a line break", "text without a line break"),
    )
    with kit.connect() as session:
        session.send(b"a banner\n", "a line of text, before Hello")
        session.hello()
        session.barrier()
        if len(session.errors) != 1:
            raise session.fail("one error, for the text before Hello")
        for data, what in cases:
            before = len(session.errors)
            message = list_of_none(session)
            session.send(data + encode_message(as_json(message)), f"{what}, then a List of nothing")
            session.wait_done(message["nonce"])
            count = len(session.errors) - before
            if count != 1:
                raise session.fail(f"one error, for {what}", f"{count} errors")


@check("RPC-2.12", "damaged packets cost an error, and reading goes on behind their first byte", after=("RPC-2.8",))
def damaged_packets(kit):
    with kit.open() as session:
        def damage(data, what, *behind):
            before = len(session.errors)
            session.send(data, what)
            nonces = [session.nonce() for _ in range(4)]
            for nonce in nonces:
                session.send_message(list_of_none(session, nonce=nonce))
            for large in behind:
                session.send_message(large, f"a message of {len(large)} bytes")
            session.wait_done(*nonces)
            session.expect_error(before, what)

        victim = encode_message(as_json({"msg": "Run", "nonce": "never"}))
        damage(victim[:-1] + bytes([victim[-1] ^ 1]), "a Run with a wrong checksum")
        damage(victim[:40] + bytes([victim[40] ^ 1]) + victim[41:], "a Run with one bit turned over")
        damage(victim[:-20], "a Run without its last 20 bytes")
        damage(b"\xb3", "a signature by itself")
        damage(b"\xb3\x29\x41\x05", "the beginning of a packet that claims to be shorter than its header")
        damage(victim[:1] + b"\xff" + victim[2:], "a Run with another version in its flags")
        large = as_json(list_of_none(session, nonce="large", tests=["x" * 50] * 90_000))
        longest = victim[:3] + b"\xbf\xff\xff" + victim[5:]
        damage(longest, "a Run that claims a length of 4 MiB less one byte", large)
        session.wait_done("large")
        if session.dones("never"):
            raise session.fail("no answer to any damaged message")


@check("RPC-2.13", "a packet that stays incomplete is given up after some seconds", after=("RPC-2.12",))
def incomplete_packets(kit):
    with kit.open() as session:
        message = list_of_none(session)
        beginning = encode_message(as_json({"msg": "Run", "nonce": "never"}))[:3] + b"\xbf\xff\xff"
        session.send(
            beginning + encode_message(as_json(message)),
            "the first 6 bytes of a packet that claims 4 MiB less one byte, then a List of nothing",
        )
        session.wait_done(message["nonce"])
        session.expect_error(0, "the incomplete packet")
    with kit.open() as session:
        message = list_of_none(session)
        session.send(
            b"\xb3\x28\x40\x90\x00\x00" * 3 + encode_message(as_json(message)),
            "the first 6 bytes of a packet of 1 MiB, three times, then a List of nothing",
        )
        session.wait_done(message["nonce"])


@check("RPC-2.14", "what cannot become an object is refused at once, and the next message is read", after=("RPC-2.7",))
def pieces_that_cannot_be_an_object(kit):
    with kit.open() as session:
        for piece in ("[1, 2", "hello", '{"msg": }', '{"msg": "List"'):
            before = len(session.errors)
            session.send_message(piece, eof=False)
            message = list_of_none(session)
            session.send_message(message, eof=False)
            session.wait_done(message["nonce"])
            session.expect_error(before, f"the piece {piece}")
        before = len(session.errors)
        session.send_message('{"msg": "List"', eof=False)
        message = list_of_none(session)
        session.send_message(message)
        session.wait_done(message["nonce"])
        session.expect_error(before, "a message that was abandoned for the next, which has EOF")
