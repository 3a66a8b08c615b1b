"""The packets of MQTT 3.1.1 that ingest needs, to and from bytes. Pure: no socket, no clock.

Numbers in brackets are of the standard's sections. Many packets are parsed at once: this is done for each message.
"""

import struct
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

MAX_REMAINING = 268_435_455
PINGREQ, DISCONNECT = b"\xc0\x00", b"\xe0\x00"
_REFUSED_SUBSCRIPTION = 0x80
_REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not take the client id",
    3: "it is not available",
    4: "wrong user name or password",
    5: "not authorised",
}


class Kind(IntEnum):
    """What a packet is: the upper half of its first byte (2.2.1)."""

    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREL = 6
    SUBACK = 9
    PINGRESP = 13


class Answer(IntEnum):
    """The first byte of what we answer a message with: QoS 1 (3.4), and the two steps of QoS 2 (3.5, 3.7)."""

    PUBACK = 0x40
    PUBREC = 0x50
    PUBCOMP = 0x70


class Published(NamedTuple):
    """A PUBLISH that came. Its topic is text whatever its bytes are: what is not UTF-8 is replaced."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    retained: bool
    redelivered: bool


class Packet(NamedTuple):
    """Any other packet that came: its kind, as a number, and what follows its length."""

    kind: int
    body: bytes

    @property
    def mid(self) -> int:
        """The packet id that it begins with, 0 when it is too short to have one."""
        return int.from_bytes(self.body[:2], "big") if len(self.body) >= 2 else 0


class Parsed(NamedTuple):
    """What some bytes hold: packets, how many bytes those take, and what is wrong with what follows, if anything is."""

    published: list[Published]
    others: list[Packet]
    taken: int
    fault: str = ""


class MalformedPacket(Exception):
    """Bytes that no broker may send; nothing after them can be read, so the connection has to end (4.8)."""


def parse(data: bytes) -> Parsed:
    """All whole packets at the beginning of `data`, up to the first that is malformed; never raises."""
    published: list[Published] = []
    others: list[Packet] = []
    at, end = 0, len(data)
    try:
        while at + 2 <= end:
            first, size, begin = data[at], data[at + 1], at + 2
            if size > 127:
                size, begin = _read_length(data, at + 1)
            stop = begin + size
            if begin > end or stop > end:
                break
            if first >> 4 == Kind.PUBLISH:
                published.append(_read_publish(data, first, begin, stop))
            else:
                others.append(Packet(first >> 4, data[begin:stop]))
            at = stop
    except MalformedPacket as error:
        return Parsed(published, others, at, str(error))
    return Parsed(published, others, at)


class Stream:
    """Bytes as they come from a socket, in pieces of any size; work is linear in them however large a packet is."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._lacks = 0

    def feed(self, data: bytes) -> Parsed:
        """The packets that are whole with this piece."""
        self._pieces.append(data)
        self._lacks -= len(data)
        if self._lacks > 0:
            return Parsed([], [], 0)
        whole = b"".join(self._pieces)
        parsed = parse(whole)
        rest = whole[parsed.taken :]
        self._pieces, self._lacks = [rest], 0 if parsed.fault else _missing(rest)
        return parsed


def _missing(data: bytes) -> int:
    """How many bytes the packet that `data` begins with still lacks, or less while its length is not there."""
    if len(data) < 5:
        return 1
    size, begin = _read_length(data, 1)
    return begin + size - len(data)


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    """The remaining length at `at`, and where the body begins; beyond the end of `data` when it is not all there."""
    size = shift = 0
    for place in range(at, at + 4):
        if place == len(data):
            return 0, place + 1
        size |= (data[place] & 127) << shift
        shift += 7
        if data[place] < 128:
            return size, place + 1
    raise MalformedPacket("a packet's length has more than four bytes")


def _read_publish(data: bytes, first: int, begin: int, stop: int) -> Published:
    qos = first >> 1 & 3
    topic_end = begin + 2 + (data[begin] << 8 | data[begin + 1]) if stop - begin >= 2 else stop + 1
    body = topic_end + 2 if qos else topic_end
    if body > stop or qos == 3:
        raise MalformedPacket("a PUBLISH is shorter than what it says, or has a QoS of 3")
    return Published(
        data[begin + 2 : topic_end].decode("utf-8", "replace"),
        data[body:stop],
        data[topic_end] << 8 | data[topic_end + 1] if qos else 0,
        qos,
        first & 1 == 1,
        first & 8 == 8,
    )


def refusal(connack: Packet) -> str:
    """Why the broker does not accept our CONNECT; empty when it does (3.2.2.3)."""
    code = connack.body[1] if len(connack.body) == 2 else -1
    return "" if code == 0 else _REFUSALS.get(code, f"it answers {connack.body.hex() or 'nothing'}")


def goes_on(connack: Packet) -> bool:
    """Whether the broker still has the session that we left (3.2.2.2)."""
    return connack.body[:1] == b"\x01"


def refused_filters(suback: Packet, topic_filters: Sequence[str]) -> list[str]:
    """Which of the filters that we asked for we do not get (3.9.3)."""
    codes = suback.body[2:].ljust(len(topic_filters), bytes([_REFUSED_SUBSCRIPTION]))
    return [one for one, code in zip(topic_filters, codes, strict=False) if code >= _REFUSED_SUBSCRIPTION]


def connect(client_id: str, username: str | None, password: str | None, keepalive_s: int) -> bytes:
    """CONNECT to a session that the broker keeps (3.1)."""
    flags, body = 0, _text(client_id)
    if username is not None:
        flags, body = flags | 0x80, body + _text(username)
    if username is not None and password is not None:
        flags, body = flags | 0x40, body + _text(password)
    return _packet(0x10, _text("MQTT") + bytes((4, flags)) + keepalive_s.to_bytes(2, "big") + body)


def subscribe(mid: int, topic_filters: Iterable[str]) -> bytes:
    """SUBSCRIBE with QoS 1 (3.8)."""
    return _packet(0x82, mid.to_bytes(2, "big") + b"".join(_text(one) + b"\x01" for one in topic_filters))


def publish(mid: int, topic: str, payload: bytes, *, again: bool = False) -> bytes:
    """PUBLISH with QoS 1 (3.3); `again` says that it was sent before."""
    raw = topic.encode()
    size = len(raw) + 4 + len(payload)
    return b"%c%b%b%b%b%b" % (
        0x3A if again else 0x32,
        _length(size),
        len(raw).to_bytes(2, "big"),
        raw,
        mid.to_bytes(2, "big"),
        payload,
    )


def answer(first: Answer, mids: Sequence[int]) -> bytes:
    """One packet of four bytes for each of these messages, in order."""
    raw = bytearray(bytes((first, 2, 0, 0)) * len(mids))
    numbers = struct.pack(f">{len(mids)}H", *mids)
    raw[2::4], raw[3::4] = numbers[0::2], numbers[1::2]
    return bytes(raw)


def _packet(first: int, body: bytes) -> bytes:
    return bytes((first,)) + _length(len(body)) + body


def _length(size: int) -> bytes:
    if size > MAX_REMAINING:
        raise ValueError(f"a packet of {size:,} bytes is more than MQTT can carry")
    encoded = bytearray()
    while size > 127:
        encoded.append(size & 127 | 128)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)


def _text(text: str) -> bytes:
    raw = text.encode()
    return len(raw).to_bytes(2, "big") + raw
