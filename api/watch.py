"""What an operator watches: the fleet, what comes in, what was refused, what is used up next, and what ran."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from psycopg.rows import class_row

from devices.doubts import Doubt
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import DeviceId, InstallationId

_Q = load_queries("api")
_KERNEL = load_queries("millpond.kernel")
BEGINNING_OF_TIME, END_OF_TIME = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FleetDevice:
    """One device as an operator sees it; None where it never said or has no owner."""

    device_id: DeviceId
    serial: str
    model: str
    region: str
    customer: str | None
    status: str | None
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class IngestMinute:
    """Metric values that arrived within one minute, by what became of them."""

    minute: datetime
    stored: int
    duplicate: int
    conflict: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """One item in quarantine; `beginning` is up to 600 bytes of the message's `size_bytes`, exactly as they came."""

    quarantine_id: int
    received_at: datetime
    serial: str
    item: str
    code: str
    reason: str
    topic: str
    beginning: bytes
    size_bytes: int

    @property
    def payload(self) -> str:
        """The beginning as text; bytes that are no UTF-8 show as replacement characters."""
        return self.beginning.decode("utf-8", "replace")


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


@dataclass(frozen=True, slots=True)
class DueInstallation:
    """What is used up next, with its newest forecast."""

    installation_id: InstallationId
    serial: str
    model: str
    part: str
    remaining_pct: float | None
    threshold_pct: float
    depletes_p10: datetime
    depletes_p50: datetime
    depletes_p90: datetime
    method: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DoubtfulInstallation:
    """A part whose readings cannot be right, and why."""

    installation_id: InstallationId
    serial: str
    model: str
    part: str
    remaining_pct: float | None
    reason: str
    reason_code: str
    at: datetime


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


def select_fleet(conn: ReadConnection, *, search: str = "", after: int = 0, limit: int = 50) -> list[FleetDevice]:
    """Up to `limit` devices with a key above `after` whose serial or model holds `search`."""
    with conn.cursor(row_factory=class_row(FleetDevice)) as cursor:
        return cursor.execute(_Q["select_fleet"], {"search": search, "after": after, "limit": limit}).fetchall()


def select_ingest_minutes(conn: ReadConnection, *, limit: int = 180) -> list[IngestMinute]:
    """The newest minutes in which anything arrived, oldest first."""
    with conn.cursor(row_factory=class_row(IngestMinute)) as cursor:
        return cursor.execute(_Q["select_ingest_minutes"], {"limit": limit}).fetchall()[::-1]


def select_quarantine(
    conn: ReadConnection, *, before: tuple[datetime, int] | None = None, limit: int = 25
) -> list[RefusedItem]:
    """Up to `limit` refused items older than `before` (received_at, quarantine_id), newest first."""
    with conn.cursor(row_factory=class_row(RefusedItem)) as cursor:
        before_at, before_id = before or (END_OF_TIME, 0)
        values = {"before_at": before_at, "before_id": before_id, "limit": limit}
        return cursor.execute(_Q["select_quarantine"], values).fetchall()


def select_quarantine_codes(conn: ReadConnection) -> list[tuple[str, int]]:
    """How many items were refused for each reason, most first."""
    return [(row[0], row[1]) for row in conn.execute(_Q["select_quarantine_codes"])]


def select_drops(conn: ReadConnection, *, since: datetime, limit: int = 10) -> list[DroppedMessages]:
    """Who was beyond an allowance since then, newest first."""
    with conn.cursor(row_factory=class_row(DroppedMessages)) as cursor:
        return cursor.execute(_Q["select_drops"], {"since": since, "limit": limit}).fetchall()


def select_soonest(
    conn: ReadConnection, *, at: datetime, after: tuple[datetime, int] | None = None, limit: int = 25
) -> list[DueInstallation]:
    """Up to `limit` installations by P50 as forecast by `at`, after `after` (depletes_p50, installation_id)."""
    with conn.cursor(row_factory=class_row(DueInstallation)) as cursor:
        after_at, after_id = after or (BEGINNING_OF_TIME, 0)
        values = {"at": at, "after_at": after_at, "after_id": after_id, "limit": limit}
        return cursor.execute(_Q["select_soonest"], values).fetchall()


def select_doubtful(conn: ReadConnection, *, at: datetime, limit: int = 25) -> list[DoubtfulInstallation]:
    """Up to `limit` installations whose readings, as forecast by `at`, cannot be right."""
    with conn.cursor(row_factory=class_row(DoubtfulInstallation)) as cursor:
        values = {"at": at, "codes": [doubt.value for doubt in Doubt], "limit": limit}
        return cursor.execute(_Q["select_doubtful"], values).fetchall()


def select_job_runs(conn: ReadConnection) -> list[JobRun]:
    """The newest run of every job, by name."""
    with conn.cursor(row_factory=class_row(JobRun)) as cursor:
        return cursor.execute(_KERNEL["select_job_runs"]).fetchall()
