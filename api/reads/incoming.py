"""What came in and what became of it: by minute, what was refused, and who was beyond an allowance."""

from dataclasses import dataclass
from datetime import date, datetime

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("api.reads")


@dataclass(frozen=True, slots=True)
class IngestTally:
    """Counts since the beginning; received = stored + duplicate + conflict + quarantined + in flight.

    `dropped` messages were beyond an allowance of their device, and are in no other count.
    """

    messages: int
    received: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int
    dropped: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class IngestMinute:
    """Metric values that arrived within one minute, by what became of them."""

    minute: datetime
    stored: int
    duplicate: int
    conflict: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class DroppedMessages:
    """What a device sent beyond an allowance in one day; `serial` is empty for all that are not registered."""

    serial: str
    day: date
    allowance: str
    messages: int
    items: int
    bytes: int
    last_at: datetime


def select_ingest_tally(conn: ReadConnection) -> IngestTally:
    """What came in and what became of it."""
    with conn.cursor(row_factory=class_row(IngestTally)) as cursor:
        tally = cursor.execute(_Q["select_ingest_tally"]).fetchone()
    assert tally is not None
    return tally


def select_ingest_minutes(conn: ReadConnection, *, limit: int = 180) -> list[IngestMinute]:
    """The newest minutes in which anything arrived, oldest first."""
    with conn.cursor(row_factory=class_row(IngestMinute)) as cursor:
        return cursor.execute(_Q["select_ingest_minutes"], {"limit": limit}).fetchall()[::-1]


def select_drops(conn: ReadConnection, *, since: datetime, limit: int = 10) -> list[DroppedMessages]:
    """Who was beyond an allowance since then, newest first."""
    with conn.cursor(row_factory=class_row(DroppedMessages)) as cursor:
        return cursor.execute(_Q["select_drops"], {"since": since, "limit": limit}).fetchall()
