"""How much there is of everything, and which jobs ran: an operator's first look, and the metrics page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries

_Q = load_queries("api.reads")
_KERNEL = load_queries("millpond.kernel")


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is of everything but what came in. The ledger's balance is zero, or something is badly wrong."""

    devices: int
    online: int
    customers: int
    open_offers: int
    quarantined_items: int
    gaps: int
    devices_with_gaps: int
    numbers_given_up: int
    shared_serials: int
    ledger_balance_minor: int


@dataclass(frozen=True, slots=True)
class JobRun:
    """The newest run of a job."""

    job: str
    scheduled_for: datetime
    state: str
    epoch: int
    started_at: datetime
    finished_at: datetime | None
    summary: dict[str, Any] | None
    error: str | None


def select_totals(conn: ReadConnection) -> Totals:
    """How much there is of everything but what came in."""
    with conn.cursor(row_factory=class_row(Totals)) as cursor:
        totals = cursor.execute(_Q["select_totals"]).fetchone()
    assert totals is not None
    return totals


def select_job_runs(conn: ReadConnection) -> list[JobRun]:
    """The newest run of every job, by name."""
    with conn.cursor(row_factory=class_row(JobRun)) as cursor:
        return cursor.execute(_KERNEL["select_job_runs"]).fetchall()
