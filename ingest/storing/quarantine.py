"""What was refused is kept: its bytes, its reasons, and no more of either than the limits say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from operator import itemgetter
from typing import Any, NamedTuple

from ingest.nouns import Decoded, Keeping, Rejection
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.storing")
_REASON_MAX = 500
_NAME_MAX = 300
_THE_REST = "more"
# About what a row of quarantine costs, what its message and its boot cost beside the payload, and a time in a row.
ROW_BYTES = 300
MESSAGE_BYTES = 200
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """What of a message was refused, and whose it is: a serial, or what the message calls a device that is unknown.

    `boot` is the life of the device that its numbered samples belong to. `is_news` says that the same bytes are not
    the same item when they come again: they have no number, and nobody knows yet whether they say a time.
    """

    serial: str
    rejection: Rejection
    boot: str | None = None
    is_news: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What makes an item of a message another one than the rest of it."""
        return (storable(self.serial[:_NAME_MAX]), storable(self.rejection.item))


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """Bytes of which something was refused, and when they came; `source` is a topic, or `import:` and a file's name."""

    source: str
    payload: bytes
    received_at: datetime
    items: Sequence[RefusedItem]
    retained: bool = False


@dataclass(frozen=True, slots=True)
class Room:
    """How many messages, about how many bytes, and how many items were added to quarantine under one name."""

    messages: int = 0
    bytes: int = 0
    items: int = 0

    def __add__(self, other: "Room") -> "Room":
        return Room(self.messages + other.messages, self.bytes + other.bytes, self.items + other.items)


@dataclass(frozen=True, slots=True)
class Kept:
    """How many items were new, and the room that each name took."""

    items: int = 0
    rooms: Mapping[str, Room] = field(default_factory=dict)


def shorten(results: Sequence[Decoded], most: int) -> None:
    """Leave `most` rejections of a message, and count the others in one that says by which codes they were refused."""
    kept, others, holder = 0, Counter[str](), None
    for decoded in results:
        room = most - kept
        if len(decoded.rejections) > room:
            holder = holder or decoded
            others.update(rejection.code for rejection in decoded.rejections[room:])
            del decoded.rejections[room:]
        kept += len(decoded.rejections)
    if holder is not None:
        named = ", ".join(f"{code} {number:,}" for code, number in others.most_common(5))
        count = others.total()
        holder.rejections.append(Rejection("and_more", f"and {count:,} more items: {named}", _THE_REST, count))


def items_of(results: Iterable[Decoded]) -> list[RefusedItem]:
    """What was refused of one message, device by device."""
    items: list[RefusedItem] = []
    for decoded in results:
        boot = decoded.seqs[0].boot if decoded.seqs else None
        items += [RefusedItem(decoded.serial, one, boot, _is_news(decoded)) for one in decoded.rejections]
    return items


def _is_news(decoded: Decoded) -> bool:
    delivery = decoded.delivery
    again = decoded.seqs or delivery.retained or delivery.redelivered
    return decoded.device is None and bool(decoded.serial) and not again


def insert_quarantine(conn: WriteConnection, messages: Sequence[RefusedMessage], keeping: Keeping) -> Kept:
    """Keep what was refused, each message's rejections as `shorten` leaves them; returns what was new.

    Items first, in key order so that writers never deadlock; then the bytes of messages that had a new item.
    """
    with_digest = [(digest_of(message.source, message.payload), message) for message in messages]
    rows = [
        _ItemRow(digest, *item.key, item, message.received_at)
        for digest, message in with_digest
        for item in message.items
    ]
    rows.sort(key=_item_order)
    new = conn.execute(_Q["insert_quarantine"], _item_columns(rows)).fetchall()
    fresh = {digest for digest, *_ in new}
    if fresh:
        first = {digest: message for digest, message in reversed(with_digest) if digest in fresh}
        conn.execute(_Q["insert_quarantined_messages"], _message_columns(first, keeping))
    again = _append_times(conn, rows, {(digest, serial, item) for digest, serial, item, _ in new})
    sizes = {digest: len(keeping.kept(message.payload)) for digest, message in with_digest}
    return Kept(sum(items for *_, items in new) + sum(again.values()), _rooms(new, sizes, again))


def _append_times(conn: WriteConnection, rows: Sequence["_ItemRow"], new: set[tuple[bytes, str, str]]) -> Counter[str]:
    """Of items that are news each time, when they came again; returns how often, by name."""
    seen, repeated = set[tuple[bytes, str, str]](), list[_ItemRow]()
    for row in rows:
        if row.item.is_news and (row[:3] not in new or row[:3] in seen):
            repeated.append(row)
        seen.add(row[:3])
    if not repeated:
        return Counter()
    values = {
        "digests": [row.digest for row in repeated],
        "serials": [row.serial for row in repeated],
        "items": [row.name for row in repeated],
        "ats": [row.received_at for row in repeated],
    }
    again = Counter[str]()
    for serial, times in conn.execute(_Q["append_times"], values):
        again[serial] += times
    return again


def _rooms(new: Iterable[tuple[Any, ...]], sizes: Mapping[bytes, int], again: Counter[str]) -> dict[str, Room]:
    rooms = {serial: Room(times, times * _TIME_BYTES, times) for serial, times in again.items()}
    kept: dict[tuple[str, bytes], list[int]] = {}
    for digest, serial, _, items in new:
        kept.setdefault((serial, digest), []).append(items)
    for (serial, digest), rows in kept.items():
        size = sizes[digest] + MESSAGE_BYTES + len(rows) * ROW_BYTES
        rooms[serial] = rooms.get(serial, Room()) + Room(1, size, sum(rows))
    return rooms


class _ItemRow(NamedTuple):
    digest: bytes
    serial: str
    name: str
    item: RefusedItem
    received_at: datetime


def _item_order(row: _ItemRow) -> tuple[bytes, str, str]:
    return (row.digest, row.serial, row.name)


def _item_columns(rows: Sequence[_ItemRow]) -> dict[str, list[Any]]:
    return {
        "digests": [row.digest for row in rows],
        "items": [row.name for row in rows],
        "serials": [row.serial for row in rows],
        # A sample with a number of its own is known by it, whatever message it comes in.
        "boots": [row.item.boot if row.name[:1].isdecimal() else None for row in rows],
        "codes": [row.item.rejection.code for row in rows],
        "reasons": [storable(row.item.rejection.reason[:_REASON_MAX]) for row in rows],
        "counts": [row.item.rejection.items for row in rows],
        "received_ats": [row.received_at for row in rows],
    }


def _message_columns(messages: Mapping[bytes, RefusedMessage], keeping: Keeping) -> dict[str, list[Any]]:
    ordered = sorted(messages.items(), key=itemgetter(0))
    return {
        "digests": [digest for digest, _ in ordered],
        "topics": [storable(message.source) for _, message in ordered],
        "payloads": [keeping.kept(message.payload) for _, message in ordered],
        "sizes": [len(message.payload) for _, message in ordered],
        "received_ats": [message.received_at for _, message in ordered],
        "retained": [message.retained for _, message in ordered],
    }


def digest_of(source: str, payload: bytes) -> bytes:
    """What makes a refused message the same one when it comes again: its source and its bytes."""
    digest = sha256(source.encode())
    digest.update(b"\0")
    digest.update(payload)
    return digest.digest()


def storable(text: str) -> str:
    """Text that PostgreSQL takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
