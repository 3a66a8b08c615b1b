"""Use case: what readings leave behind when they are old. Readings go first and leave their days; the days go later."""

from datetime import datetime, timedelta

from devices.credentials.retention import credential_endings
from devices.tiers.rollup import roll_up
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.jobs import Claim, held
from millpond.kernel.retention import Ending
from millpond.kernel.settings import Settings

_Q = load_queries("devices.tiers")


def drop_old_readings(conn: WriteConnection, before: datetime, *, claim: Claim | None = None) -> int:
    """Drop what was measured before `before` and keep its hours and days; how many readings went.

    Whole months (with TimescaleDB whole chunks) go, oldest first, one transaction each, so that it may be stopped and
    run again at any time. Must be called outside a transaction. Raises psycopg.errors.LockNotAvailable when somebody
    reads what is to go for too long.
    """
    roll_up(conn, before=before, claim=claim)
    dropped, gone = 0, _drop_oldest(conn, before, claim)
    while gone is not None:
        dropped, gone = dropped + gone, _drop_oldest(conn, before, claim)
    return dropped


def _drop_oldest(conn: WriteConnection, before: datetime, claim: Claim | None) -> int | None:
    with held(conn, claim):
        [(dropped,)] = conn.execute(_Q["drop_oldest_readings"], {"before": before})
    return None if dropped is None else int(dropped)


def make_partitions(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> list[str]:
    """Make the partitions of `reading` that `at` needs soon, and those of past months with many readings; their names.

    One transaction each, so that it may be stopped and run again at any time. Where the database divides the table by
    itself there is nothing to make. Must be called outside a transaction. Raises psycopg.errors.LockNotAvailable when
    others use what belongs to no month; readings are stored there until the next run.
    """
    made: list[str] = []
    while (name := _make_partition(conn, at, claim)) is not None:
        made.append(name)
    return made


def _make_partition(conn: WriteConnection, at: datetime, claim: Claim | None) -> str | None:
    with held(conn, claim):
        [(name,)] = conn.execute(_Q["make_reading_partition"], {"at": at})
    return None if name is None else str(name)


def count_old_readings(conn: ReadConnection, before: datetime) -> int:
    """How many readings `drop_old_readings` would drop now."""
    [(readings,)] = conn.execute(_Q["count_old_readings"], {"before": before})
    return int(readings)


def devices_endings(settings: Settings) -> list[Ending]:
    """What goes of hours and days, and of credentials that are good for nothing."""
    hours, days = timedelta(days=settings.hour_keep_days), timedelta(days=settings.day_keep_days)
    return [
        Ending("reading_hour_kept", "hours of readings", hours, _Q["end_kept_hours"]),
        Ending("reading_day_kept", "days of readings", days, _Q["end_kept_days"]),
        Ending("state_day_kept", "days of states", days, _Q["end_kept_state_days"]),
        *credential_endings(settings),
    ]
