"""Refused messages are stored after all: decoded again from the bytes that were kept, by the same way as before."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psycopg

from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.nouns import Decoded, Keeping, Limits, Tally
from ingest.storing.batch import store_decoded
from ingest.storing.quarantine import items_of
from ingest.storing.registries import decode_again
from ingest.storing.retry_store import KeptMessage, count_to_retry, mark_stored, select_to_retry
from millpond.kernel.db import WriteConnection

CONSUMER = "retry"
_LOG = logging.getLogger(__name__)
_AT_ONCE = 200
_BEGINNING = (datetime(1970, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class RetrySummary:
    """What became of refused messages: `stored` has no refused item any more, `in_part` was kept without all its bytes.

    `tally` counts values like those of a delivery that came again.
    """

    messages: int = 0
    stored: int = 0
    refused: int = 0
    in_part: int = 0
    tally: Tally = field(default_factory=Tally)

    def __add__(self, other: "RetrySummary") -> "RetrySummary":
        return RetrySummary(
            self.messages + other.messages,
            self.stored + other.stored,
            self.refused + other.refused,
            self.in_part + other.in_part,
            self.tally + other.tally,
        )


def retry_quarantine(
    conn: WriteConnection,
    code: str,
    limits: Limits,
    *,
    at: datetime,
    keeping: Keeping = Keeping(),
    formats: Formats = FORMATS,
    most: int | None = None,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> RetrySummary:
    """Store messages again of which something was refused with `code`, oldest first, one transaction a message.

    Each counts as received at its first time. Twice changes nothing. A dry run stores nothing and says what it would
    do. Rows of files are left out: import their file again. Raises psycopg.Error when the database goes away.
    """
    of = min(count_to_retry(conn, code), most if most is not None else 2**31)
    summary, after = RetrySummary(), _BEGINNING
    while summary.messages < of:
        messages = select_to_retry(conn, code, after=after, most=min(_AT_ONCE, of - summary.messages))
        if not messages:
            break
        for message in messages:
            summary += _retry(conn, message, code, limits, keeping, formats, at, dry_run=dry_run)
            on_progress(summary.messages, of)
        after = (messages[-1].received_at, messages[-1].quarantine_id)
    return summary


def _retry(
    conn: WriteConnection,
    message: KeptMessage,
    code: str,
    limits: Limits,
    keeping: Keeping,
    formats: Formats,
    at: datetime,
    *,
    dry_run: bool,
) -> RetrySummary:
    if not message.is_whole:
        return RetrySummary(messages=1, in_part=1)
    try:
        with conn.transaction() as attempt:
            batch = _decode(conn, message, limits, keeping, formats)
            stored = store_decoded(conn, batch, limits, keeping, CONSUMER, at)
            left = mark_stored(conn, message.digest, code, [item.key for item in items_of(batch)], at)
            if dry_run:
                raise psycopg.Rollback(attempt)
    except psycopg.Error as error:
        if conn.broken or conn.closed:
            raise
        extra = {"event": "retry_refused", "topic": message.topic, "sqlstate": error.sqlstate}
        _LOG.error("the database refuses a message again: %s", error, extra=extra)
        return RetrySummary(messages=1, refused=1)
    return RetrySummary(messages=1, stored=int(not left), refused=int(left > 0), tally=stored.tally)


def _decode(
    conn: WriteConnection, message: KeptMessage, limits: Limits, keeping: Keeping, formats: Formats
) -> list[Decoded]:
    # It was whole when it was kept, whatever may be sent today.
    wide = replace(limits, payload_max_bytes=max(limits.payload_max_bytes, len(message.payload)))
    batch = decode_again(conn, message.deliveries, formats, wide, keeping)
    for decoded in batch:
        # Nobody sent it now: it answers nothing that its device was asked for.
        decoded.numbers_lost = False
    return batch
