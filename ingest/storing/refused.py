"""Messages that the database refused: set aside whole, and an innocent one tried in their place."""

from dataclasses import replace
from datetime import datetime

import psycopg
from msgspec import structs

from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Decoded, Delivery, Keeping, Limits, Rejection, SeqKey
from ingest.storing.batch import StoredBatch, store_decoded
from ingest.storing.quarantine import shorten
from ingest.storing.registries import decode_batch
from millpond.kernel.db import WriteConnection


def store_refused(
    conn: WriteConnection,
    delivery: Delivery,
    why: str,
    limits: Limits,
    *,
    consumer: str,
    at: datetime,
    keeping: Keeping = Keeping(),
    formats: Formats = FORMATS,
    bare: bool = False,
) -> StoredBatch:
    """Quarantine one message whole, in the name of each of its devices: the database refused what it became.

    `bare` leaves out its numbers, and all of its bytes but the head: the message is aside, its device is not told so.
    """
    with conn.transaction():
        refusal = Rejection("refused", f"the database refused the message: {why}")
        batch = decode_batch(conn, [delivery], formats, limits, keeping)
        refused = [Decoded(delivery, d.serial, seqs=[] if bare else d.seqs, rejections=[refusal]) for d in batch]
        shorten(refused, keeping.items)
        kept = replace(keeping, whole_bytes=0) if bare else keeping
        return store_decoded(conn, refused, limits, kept, consumer, at)


def try_innocent(
    conn: WriteConnection,
    delivery: Delivery,
    limits: Limits,
    *,
    consumer: str,
    at: datetime,
    keeping: Keeping = Keeping(),
    formats: Formats = FORMATS,
) -> None:
    """Write what a message without fault would become in this one's place, and roll it back.

    A psycopg.Error means that the database refuses that too: then the fault is not in the message.
    """
    with conn.transaction() as attempt:
        batch = decode_batch(conn, [delivery], formats, limits, keeping)
        store_decoded(conn, [_make_innocent(decoded) for decoded in batch], limits, keeping, consumer, at)
        raise psycopg.Rollback(attempt)


def _make_innocent(decoded: Decoded) -> Decoded:
    """The same device, metrics, times and parts, and nothing that the device itself wrote."""
    delivery = structs.replace(decoded.delivery, payload=b"innocent")
    innocent = Decoded(delivery, decoded.serial, decoded.device, status=decoded.status)
    for number, one in enumerate(decoded.readings):
        value, state = (0.0, None) if one.reading.state is None else (None, "innocent")
        sample = None if one.sample is None else SeqKey(decoded.serial, "innocent", number)
        innocent.readings.append(replace(one, reading=replace(one.reading, value=value, state=state), sample=sample))
    innocent.seqs = [SeqKey(decoded.serial, "innocent", number) for number, _ in enumerate(decoded.seqs)]
    innocent.rejections = [
        Rejection("innocent", "innocent", f"{number}") for number, _ in enumerate(decoded.rejections)
    ]
    return innocent
