"""Use cases: how a refused message is read now, and storing it as mended, under the time at which it came."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import psycopg
from msgspec.structs import replace

from devices.store import select_metrics
from ingest.nouns import Decoded, Delivery
from ingest.storing.batch import store_decoded
from ingest.storing.door import is_unknown
from ingest.storing.quarantine import items_of
from ingest.storing.registries import decode_again
from ingest.storing.retry import RetrySummary, pass_over_stored, retry_message
from ingest.storing.retry_store import KeptMessage, lock_open_items, mark_stored
from ingest.storing.terms import Terms
from ingest.workbench.nouns import Edit, Mended, Read
from ingest.workbench.store import insert_edit, lock_refused_message, select_refused_message
from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import InvalidInput, NotFound

CONSUMER = "mended"
_OF_A_FILE = "import:"
_DIGITS = 19


def require_message(conn: ReadConnection, quarantine_id: int | str) -> KeptMessage:
    """The whole message of a refused item, by its number or what stands for one; NotFound when there is none."""
    text = str(quarantine_id)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < _DIGITS else None
    message = None if number is None else select_refused_message(conn, number)
    if message is None:
        raise NotFound(f"nothing in quarantine has the number {text[:_DIGITS]}")
    return message


def read_message(conn: ReadConnection, message: KeptMessage, terms: Terms) -> list[Read]:
    """What the message would become if it came now; nothing is stored."""
    if message.topic.startswith(_OF_A_FILE):
        return []
    return list(_read(conn, decode_again(conn, message.deliveries[:1], terms)))


def _read(conn: ReadConnection, batch: Sequence[Decoded]) -> Iterator[Read]:
    by_id = {metric.metric_id: metric for by_name in select_metrics(conn).values() for metric in by_name.values()}
    for decoded in batch:
        for one in decoded.readings:
            reading, metric = one.reading, by_id[one.reading.metric_id]
            value = reading.value if reading.state is None else reading.state
            item = f"#{one.index}" if one.sample is None else str(one.sample.seq)
            yield Read(decoded.serial, item, metric.name, value, metric.unit, reading.measured_at)
        for why in decoded.rejections:
            yield Read(decoded.serial, why.item, code=why.code, reason=why.reason)


def retry_one(
    conn: WriteConnection, quarantine_id: int | str, terms: Terms, *, at: datetime, dry_run: bool
) -> RetrySummary:
    """Store a refused item's message again, whatever it was refused for. Raises NotFound, InvalidInput for a file's."""
    message = _require_of_a_device(conn, quarantine_id)
    return retry_message(conn, message, terms, at, code=None, dry_run=dry_run)


def mend_message(
    conn: WriteConnection,
    quarantine_id: int | str,
    terms: Terms,
    *,
    payload: bytes,
    topic: str | None = None,
    note: str | None = None,
    at: datetime,
    by: str,
    dry_run: bool = False,
) -> Mended:
    """Store a refused message as `payload` (and `topic`, if that was wrong), under the time at which it came.

    The message as it came stays, with who mended it to what, and when. The same twice changes nothing; a dry run says
    what would become of it. Raises NotFound, and InvalidInput for a file's row, for what is too large, and for a device
    that is not registered.
    """
    message = _require_of_a_device(conn, quarantine_id)
    if len(payload) > terms.limits.payload_max_bytes:
        raise InvalidInput(f"it has {len(payload):,} bytes, {terms.limits.payload_max_bytes:,} are allowed")
    edit = Edit(topic or message.topic, payload, note, at, by)
    with conn.transaction() as attempt:
        lock_refused_message(conn, message)
        mended = _store(conn, message, edit, terms)
        insert_edit(conn, message, edit)
        if dry_run:
            raise psycopg.Rollback(attempt)
    return mended


def _store(conn: WriteConnection, message: KeptMessage, edit: Edit, terms: Terms) -> Mended:
    message, refused = lock_open_items(conn, message)
    deliveries = [_as_mended(delivery, edit) for delivery in message.deliveries]
    batch = decode_again(conn, deliveries, terms)
    for decoded in batch:
        if is_unknown(decoded):
            raise InvalidInput(f"{decoded.serial} is not registered: register it first, or correct the topic")
    pass_over_stored(conn, batch, refused)
    read = tuple(_read(conn, batch))
    stored = store_decoded(conn, batch, terms.limits, terms.keeping, CONSUMER, edit.edited_at)
    left = mark_stored(conn, message.digest, None, [item.key for item in items_of(batch)], edit.edited_at)
    return Mended(stored.tally, left, read)


def _as_mended(delivery: Delivery, edit: Edit) -> Delivery:
    return replace(delivery, topic=edit.topic, payload=edit.payload)


def _require_of_a_device(conn: ReadConnection, quarantine_id: int | str) -> KeptMessage:
    message = require_message(conn, quarantine_id)
    if message.topic.startswith(_OF_A_FILE):
        raise InvalidInput("this is a row of a file: mend the file and import it again")
    return message
