"""Refused messages are stored after all: decoded again from the bytes that were kept, by the same way as before."""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import psycopg

from devices.store import select_metrics
from ingest.nouns import Decoded, Tally
from ingest.storing.batch import store_decoded
from ingest.storing.quarantine import items_of
from ingest.storing.registries import decode_again
from ingest.storing.retry_store import (
    Chosen,
    KeptMessage,
    count_to_retry,
    lock_open_items,
    mark_stored,
    select_to_retry,
)
from ingest.storing.terms import Terms
from millpond.kernel.db import ReadConnection, WriteConnection

CONSUMER = "retry"
_LOG = logging.getLogger(__name__)
_AT_ONCE = 200
# The moment and the number after which to go on.
After = tuple[datetime, int]
_BEGINNING: After = (datetime(1970, 1, 1, tzinfo=UTC), 0)


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
    last: After | None = field(default=None, compare=False)

    def __add__(self, other: "RetrySummary") -> "RetrySummary":
        return RetrySummary(
            self.messages + other.messages,
            self.stored + other.stored,
            self.refused + other.refused,
            self.in_part + other.in_part,
            self.tally + other.tally,
            other.last or self.last,
        )


def retry_quarantine(
    conn: WriteConnection,
    chosen: Chosen,
    terms: Terms,
    *,
    at: datetime,
    after: After | None = None,
    most: int | None = None,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> RetrySummary:
    """Store messages again of which something was refused that is `chosen`, oldest first, one transaction a message.

    Each counts as received at its first time. Twice changes nothing. A dry run stores nothing and says what it would
    do. It goes on `after` a message, which a summary's `last` is. Rows of files are left out: import their file again.
    Raises psycopg.Error when the database goes away.
    """
    of = min(count_to_retry(conn, chosen), most if most is not None else 2**31)
    summary, after = RetrySummary(), after or _BEGINNING
    while summary.messages < of:
        messages = select_to_retry(conn, chosen, after=after, most=min(_AT_ONCE, of - summary.messages))
        if not messages:
            break
        for message in messages:
            summary += retry_message(conn, message, terms, at, code=chosen.code, dry_run=dry_run)
            on_progress(summary.messages, of)
        after = (messages[-1].received_at, messages[-1].quarantine_id)
        summary = replace(summary, last=after)
    return summary


def retry_message(
    conn: WriteConnection, message: KeptMessage, terms: Terms, at: datetime, *, code: str | None, dry_run: bool = False
) -> RetrySummary:
    """Store one message again, in a transaction of its own: what of it was refused with `code`, or all of it."""
    if not message.is_whole:
        return RetrySummary(messages=1, in_part=1)
    try:
        with conn.transaction() as attempt:
            tally, left = _store_again(conn, message, terms, at, code)
            if dry_run:
                raise psycopg.Rollback(attempt)
    except psycopg.Error as error:
        if conn.broken or conn.closed:
            raise
        extra = {"event": "retry_refused", "topic": message.topic, "sqlstate": error.sqlstate}
        _LOG.error("the database refuses a message again: %s", error, extra=extra)
        return RetrySummary(messages=1, refused=1)
    return RetrySummary(messages=1, stored=int(not left), refused=int(left > 0), tally=tally)


def _store_again(
    conn: WriteConnection, message: KeptMessage, terms: Terms, at: datetime, code: str | None
) -> tuple[Tally, int]:
    message, refused = lock_open_items(conn, message)
    batch = decode_again(conn, message.deliveries, terms)
    pass_over_stored(conn, batch, refused)
    stored = store_decoded(conn, batch, terms.limits, terms.keeping, CONSUMER, at)
    return stored.tally, mark_stored(conn, message.digest, code, [item.key for item in items_of(batch)], at)


def pass_over_stored(conn: ReadConnection, batch: Sequence[Decoded], refused: Collection[str]) -> None:
    """Leave out what was stored when the message came first and could not be told from it: values that have neither
    a number nor a time. `refused` are the message's items that are refused still."""
    samples = {item.partition("/")[0] for item in refused if "/" not in item}
    names: dict[int, str] = {}
    for decoded in batch:
        # Nobody sent it now: it answers nothing that its device was asked for.
        decoded.numbers_lost = False
        if "" in samples or all(one.sample or not one.reading.corrected for one in decoded.readings):
            continue
        names = names or {m.metric_id: m.name for by_name in select_metrics(conn).values() for m in by_name.values()}
        decoded.readings = [
            one
            for one in decoded.readings
            if one.sample
            or not one.reading.corrected
            or f"#{one.index}" in samples
            or f"#{one.index}/{names[one.reading.metric_id]}" in refused
        ]
