"""What came on each day: counted once a day by a job, and by the report itself where nobody has counted yet."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.jobs import Claim, held

_Q = load_queries("dam.report")
_DAY = timedelta(days=1)
_COUNTED_ANEW = 30
"""For so many days a sign-in or a late link still changes what is known of a day."""


@dataclass(frozen=True, slots=True)
class DayOfSource:
    """What came of one source on one day (UTC)."""

    day: date
    source: str
    kind: str
    events: int
    known: int
    nameless: int
    late: int
    incomplete: int
    newest_at: datetime | None


def begin_of_window(at: datetime, window: timedelta) -> datetime:
    """A window begins with a whole day, so that counts of days serve it."""
    return datetime.combine((at - window).astimezone(UTC).date(), time(0), UTC)


def read_days(conn: ReadConnection, at: datetime, *, window: timedelta) -> list[DayOfSource]:
    """All days of the window with all sources of which something came; days that are not counted are counted now."""
    first, today = begin_of_window(at, window).date(), at.astimezone(UTC).date()
    with conn.cursor(row_factory=class_row(DayOfSource)) as cursor:
        rows = cursor.execute(_Q["select_counted_days"], {"first": first, "today": today, "at": at}).fetchall()
        counted = {row.day for row in rows}
        days = [first + n * _DAY for n in range((today - first).days + 1)]
        for day in days:
            if day not in counted:
                rows += cursor.execute(_Q["count_events"], {"day": day, "at": at}).fetchall()
    return [row for row in rows if row.events]


def count_days(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """Count the thirty days before that of `at`, a transaction each; how many. Must be called outside a transaction.

    The scheduler calls it each day.
    """
    today = at.astimezone(UTC).date()
    for back in range(_COUNTED_ANEW, 0, -1):
        with held(conn, claim):
            conn.execute(_Q["upsert_dam_day"], {"day": today - back * _DAY, "at": at})
    return _COUNTED_ANEW
