"""What was refused is kept: its bytes, its reasons, and no more of either than the limits say."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from ingest.nouns import Delivery, Keeping, Rejection
from millpond.kernel.db import WriteConnection, load_queries

_Q = load_queries("ingest.storing")
_REASON_MAX = 500
_THE_REST = "more"


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message, and what of it was refused. `boot` is the life of the device that its numbered samples belong to."""

    delivery: Delivery
    serial: str
    rejections: Sequence[Rejection]
    boot: str | None = None


def shorten(rejections: Sequence[Rejection], most: int) -> Sequence[Rejection]:
    """The rejections of one message, those beyond `most` counted in one that says by which codes they were refused."""
    if len(rejections) <= most:
        return rejections
    codes = Counter(rejection.code for rejection in rejections[most:])
    count = len(rejections) - most
    named = ", ".join(f"{code} {number:,}" for code, number in codes.most_common(5))
    return [*rejections[:most], Rejection("and_more", f"and {count:,} more items: {named}", _THE_REST, count)]


def insert_quarantine(conn: WriteConnection, messages: Sequence[RefusedMessage], keeping: Keeping) -> int:
    """Keep what was refused, each message's rejections as `shorten` leaves them; returns how many items were new.

    Items first, in key order so that writers never deadlock; then the bytes of messages that had a new item.
    """
    with_digest = [(digest_of(message.delivery), message) for message in messages]
    rows = [(digest, message, rejection) for digest, message in with_digest for rejection in message.rejections]
    rows.sort(key=lambda row: (row[0], row[2].item))
    new = conn.execute(_Q["insert_quarantine"], _item_columns(rows)).fetchall()
    fresh = {digest for digest, _ in new}
    if fresh:
        first = {digest: message.delivery for digest, message in reversed(with_digest) if digest in fresh}
        conn.execute(_Q["insert_quarantined_messages"], _message_columns(first, keeping))
    return sum(items for _, items in new)


def _item_columns(rows: Sequence[tuple[bytes, RefusedMessage, Rejection]]) -> dict[str, list[Any]]:
    return {
        "digests": [digest for digest, _, _ in rows],
        "items": [storable(rejection.item) for _, _, rejection in rows],
        "serials": [message.serial for _, message, _ in rows],
        # A sample with a number of its own is known by it, whatever message it comes in.
        "boots": [message.boot if rejection.item[:1].isdecimal() else None for _, message, rejection in rows],
        "codes": [rejection.code for _, _, rejection in rows],
        "reasons": [storable(rejection.reason[:_REASON_MAX]) for _, _, rejection in rows],
        "counts": [rejection.items for _, _, rejection in rows],
        "received_ats": [message.delivery.received_at for _, message, _ in rows],
    }


def _message_columns(deliveries: Mapping[bytes, Delivery], keeping: Keeping) -> dict[str, list[Any]]:
    ordered = sorted(deliveries.items())
    return {
        "digests": [digest for digest, _ in ordered],
        "topics": [storable(delivery.topic) for _, delivery in ordered],
        "payloads": [keeping.kept(delivery.payload) for _, delivery in ordered],
        "sizes": [len(delivery.payload) for _, delivery in ordered],
        "received_ats": [delivery.received_at for _, delivery in ordered],
    }


def digest_of(delivery: Delivery) -> bytes:
    """What makes a refused message the same one when it is delivered again: its topic and its bytes."""
    digest = sha256(delivery.topic.encode())
    digest.update(b"\0")
    digest.update(delivery.payload)
    return digest.digest()


def storable(text: str) -> str:
    """Text that PostgreSQL takes: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()
