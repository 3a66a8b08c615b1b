"""Everything that grows has an end: one run over the tables of all packages."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from psycopg.errors import LockNotAvailable

from attribution.retention import attribution_endings
from customers.retention import customers_endings
from dam.retention import dam_endings
from devices.retention import count_old_readings, devices_endings, drop_old_readings, make_partitions
from events.retention import events_endings
from forecasting.retention import forecasting_endings
from ingest.retention import ingest_endings
from millpond.kernel.db import WriteConnection
from millpond.kernel.jobs import Claim
from millpond.kernel.retention import Ending, count_old_rows, end_old_rows, kernel_endings
from millpond.kernel.settings import Settings
from offers.retention import offers_endings
from segments.retention import segments_endings

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetentionSummary:
    """How many rows of what went, or are due; what none went of is not named."""

    rows_deleted: int = 0
    deleted: dict[str, int] = field(default_factory=dict)


def make_endings(settings: Settings) -> list[Ending]:
    """What goes when, in the order in which one run deletes it; readings go before all of it."""
    return [
        *devices_endings(settings),
        *ingest_endings(settings),
        *forecasting_endings(settings),
        *events_endings(settings),
        *segments_endings(settings),
        *dam_endings(settings),
        *offers_endings(settings),
        *attribution_endings(settings),
        *customers_endings(settings),
        *kernel_endings(settings),
    ]


def end_what_is_old(
    conn: WriteConnection,
    at: datetime,
    settings: Settings,
    *,
    claim: Claim | None = None,
    dry_run: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _of: None,
) -> RetentionSummary:
    """Make room for the readings to come, and delete what the settings let go as of `at`; a dry run only counts.

    It may be stopped at any time: each small transaction stands alone, and the next run goes on where it ended.
    """
    endings = make_endings(settings)
    if not dry_run:
        _make_partitions(conn, at, claim)
    deleted = {"readings, their days kept": _end_readings(conn, at, settings, claim, dry_run)}
    for number, ending in enumerate(endings, start=1):
        on_progress(number, len(endings) + 1)
        count = count_old_rows(conn, ending, at) if dry_run else end_old_rows(conn, ending, at, claim=claim)
        deleted[ending.what] = count
    on_progress(len(endings) + 1, len(endings) + 1)
    return RetentionSummary(sum(deleted.values()), {what: rows for what, rows in deleted.items() if rows})


def _make_partitions(conn: WriteConnection, at: datetime, claim: Claim | None) -> None:
    try:
        make_partitions(conn, at, claim=claim)
    except LockNotAvailable:
        # Nothing is lost: readings of a month without a partition are stored beside the others.
        _LOG.warning("partitions were in use and could not be made: the next run will", extra={"event": "no_partition"})


def _end_readings(conn: WriteConnection, at: datetime, settings: Settings, claim: Claim | None, dry_run: bool) -> int:
    if not settings.reading_keep_days:
        return 0
    before = at - timedelta(days=settings.reading_keep_days)
    if dry_run:
        return count_old_readings(conn, before)
    try:
        return drop_old_readings(conn, before, claim=claim)
    except LockNotAvailable:
        _LOG.warning("old readings were in use and could not be dropped: the next run will", extra={"event": "no_drop"})
        return 0
