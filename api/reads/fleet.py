"""Devices as an operator watches them: which there are, what is doubtful about them, and what is used up next."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from psycopg.rows import class_row

from devices.parts.doubts import Doubt
from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import DeviceId, InstallationId

_Q = load_queries("api.reads")
_BEFORE_ALL = (datetime(1970, 1, 1, tzinfo=UTC), 0)


@dataclass(frozen=True, slots=True)
class FleetDevice:
    """One device as an operator sees it; None where it never said or has no owner."""

    device_id: DeviceId
    serial: str
    model: str
    region: str
    customer: str | None
    status: str | None
    reporting: str
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeviceDoubt:
    """What is doubtful about a device.

    `clock_samples` came without a good time; `clock_offset_s` is by how many seconds its clock was last ahead of ours,
    None when it said nothing. `clock_behind_s` is the least delay of its last day of readings in seconds: below 0 its
    clock is ahead of ours, far above 0 it is behind, or all comes late. `gaps` are holes in its numbers that are asked
    for, the oldest since `gaps_since`. `shared_serial_returns` is how often one of two boots, or of two
    sessions, came back after the other was live.
    """

    clock_samples: int
    clock_first_at: datetime | None
    clock_last_at: datetime | None
    clock_offset_s: float | None
    clock_behind_s: float | None
    gaps: int
    gaps_since: datetime | None
    shared_serial_returns: int
    shared_serial_first_at: datetime | None
    shared_serial_last_at: datetime | None
    shared_serial_names: Sequence[str] | None


@dataclass(frozen=True, slots=True)
class DeviceInDoubt:
    """One doubt about one device: `amount` counts returns of a boot or session, samples, or boots with too many gaps.

    `since` is None where it is not known. `offset_s` is of a clock, as above; `names` are of two boots or sessions.
    """

    serial: str
    doubt: Literal["boot", "session", "clock", "gaps"]
    since: datetime | None
    last_at: datetime
    amount: int
    offset_s: float | None
    names: Sequence[str] | None


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


def select_fleet(
    conn: ReadConnection, at: datetime, *, search: str = "", after: int = 0, limit: int = 50
) -> list[FleetDevice]:
    """Up to `limit` devices with a key above `after` whose serial or model holds `search`."""
    with conn.cursor(row_factory=class_row(FleetDevice)) as cursor:
        values = {"at": at, "search": search, "after": after, "limit": limit}
        return cursor.execute(_Q["select_fleet"], values).fetchall()


def select_device_doubt(conn: ReadConnection, device_id: DeviceId) -> DeviceDoubt | None:
    """What is doubtful about this device."""
    with conn.cursor(row_factory=class_row(DeviceDoubt)) as cursor:
        return cursor.execute(_Q["select_device_doubt"], {"device_id": device_id}).fetchone()


def select_devices_in_doubt(conn: ReadConnection, *, since: datetime, limit: int = 20) -> list[DeviceInDoubt]:
    """Up to `limit` doubts that were last borne out since a moment, newest first."""
    with conn.cursor(row_factory=class_row(DeviceInDoubt)) as cursor:
        return cursor.execute(_Q["select_devices_in_doubt"], {"since": since, "limit": limit}).fetchall()


def select_soonest(
    conn: ReadConnection, *, at: datetime, after: tuple[datetime, int] | None = None, limit: int = 25
) -> list[DueInstallation]:
    """Up to `limit` installations by P50 as forecast by `at`, after `after` (depletes_p50, installation_id)."""
    with conn.cursor(row_factory=class_row(DueInstallation)) as cursor:
        after_at, after_id = after or _BEFORE_ALL
        values = {"at": at, "after_at": after_at, "after_id": after_id, "limit": limit}
        return cursor.execute(_Q["select_soonest"], values).fetchall()


def select_doubtful(conn: ReadConnection, *, at: datetime, limit: int = 25) -> list[DoubtfulInstallation]:
    """Up to `limit` installations whose readings, as forecast by `at`, cannot be right."""
    with conn.cursor(row_factory=class_row(DoubtfulInstallation)) as cursor:
        values = {"at": at, "codes": [doubt.value for doubt in Doubt], "limit": limit}
        return cursor.execute(_Q["select_doubtful"], values).fetchall()
