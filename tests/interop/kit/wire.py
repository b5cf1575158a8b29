"""Bytes to packets and back. python-subunit does the coding; only the framing is done here, so that bytes
that arrive in any portions can be read without a thread."""

import dataclasses
import io
import typing

from subunit.v2 import ByteStreamToStreamResult, StreamResultToBytes

RPC_ID = "testrepository-rpc"
SIGNATURE = 0xB3
MAX_PACKET = 4 * 1024 * 1024 - 1
LARGEST_PIECE = 4_000_000  # of a message; leaves room for the packet's other fields


@dataclasses.dataclass
class Packet:
    test_id: typing.Optional[str] = None
    test_status: typing.Optional[str] = None
    test_tags: typing.Optional[set] = None
    runnable: bool = False
    file_name: typing.Optional[str] = None
    file_bytes: typing.Optional[bytes] = None
    eof: bool = False
    mime_type: typing.Optional[str] = None
    route_code: typing.Optional[str] = None
    timestamp: typing.Any = None
    index: int = -1  # position among everything that a session received

    def __str__(self):
        fields = []
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value is None or value is False or field.name == "index":
                continue
            text = repr(value)
            fields.append(f"{field.name}={text[:77] + '...' if len(text) > 80 else text}")
        return f"packet({', '.join(fields)})"


@dataclasses.dataclass
class Foreign:
    """Bytes that belong to no packet."""

    data: bytes
    index: int = -1

    def __str__(self):
        return f"{len(self.data)} bytes that are no packet: {self.data[:60]!r}"


def encode(**fields):
    """One packet, with the keyword arguments of StreamResult.status(). Not runnable unless told."""
    out = io.BytesIO()
    fields.setdefault("runnable", False)
    StreamResultToBytes(out).status(**fields)
    return out.getvalue()


def encode_message(content, piece_size=LARGEST_PIECE, eof=True, **fields):
    """The packets of a message whose JSON is `content`, in bytes; `eof` is about the last of them."""
    fields = {"test_id": RPC_ID, "file_name": "message", "mime_type": "application/json", **fields}
    cuts = range(0, max(len(content), 1), piece_size)
    return b"".join(
        encode(file_bytes=content[at : at + piece_size], eof=eof and at == cuts[-1], **fields) for at in cuts
    )


class _Collector:
    def __init__(self):
        self.packets = []

    def status(self, **fields):
        self.packets.append(Packet(**fields))


def decode(data):
    """The packet that `data` is, or None where it is damaged."""
    collector = _Collector()
    try:
        ByteStreamToStreamResult(io.BytesIO(data)).run(collector)
    except Exception:  # python-subunit lets some malformed fields out as struct.error and the like
        return None
    # Of a damaged packet it makes two: the bytes, and what is wrong with them.
    return collector.packets[0] if len(collector.packets) == 1 else None


def packet_length(header):
    """The length that a packet's first bytes claim; None: more bytes are needed; 0: this is no packet."""
    if len(header) < 2:
        return None
    if header[1] >> 4 != 2:
        return 0
    if len(header) < 4:
        return None
    size = (1, 2, 3, 0)[header[3] >> 6]
    if size == 0:
        return 0
    if len(header) < 3 + size:
        return None
    length = int.from_bytes(bytes([header[3] & 0x3F]) + header[4 : 3 + size], "big")
    return length if length >= 3 + size + 4 else 0


class PacketReader:
    """feed() bytes, get Packets and Foreigns; finish() at end of file."""

    def __init__(self):
        self._buffer = b""

    @property
    def incomplete(self):
        """Whether something is held back that may become a packet."""
        return bool(self._buffer)

    def feed(self, data):
        self._buffer += data
        return self._take(final=False)

    def finish(self):
        return self._take(final=True)

    def _take(self, final):
        items, at, buffer = [], 0, self._buffer
        foreign = bytearray()

        def flush():
            if foreign:
                items.append(Foreign(bytes(foreign)))
                foreign.clear()

        while at < len(buffer):
            start = buffer.find(SIGNATURE, at)
            start = len(buffer) if start < 0 else start
            foreign += buffer[at:start]
            at = start
            if at == len(buffer):
                break
            length = packet_length(buffer[at : at + 6])
            if length is None or (length and at + length > len(buffer)):
                if not final:
                    break
                length = 0
            packet = decode(buffer[at : at + length]) if length else None
            if packet is None:
                foreign.append(buffer[at])
                at += 1
                continue
            flush()
            items.append(packet)
            at += length
        flush()
        self._buffer = buffer[at:]
        return items
