"""What is doubtful about devices: their clocks, their numbers, and whether two units speak under one serial."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import DeviceId

_Q = load_queries("api")


@dataclass(frozen=True, slots=True)
class DeviceDoubt:
    """What is doubtful about a device.

    `clock_samples` came without a good time; `clock_offset_s` is by how many seconds its clock was last ahead of ours,
    None when it said nothing. `gaps` are holes in its numbers that are asked for, the oldest since `gaps_since`.
    `shared_serial_returns` is how often one of two boots, or of two sessions, came back after the other was live.
    """

    clock_samples: int
    clock_first_at: datetime | None
    clock_last_at: datetime | None
    clock_offset_s: float | None
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


def select_device_doubt(conn: ReadConnection, device_id: DeviceId) -> DeviceDoubt | None:
    """What is doubtful about this device."""
    with conn.cursor(row_factory=class_row(DeviceDoubt)) as cursor:
        return cursor.execute(_Q["select_device_doubt"], {"device_id": device_id}).fetchone()


def select_devices_in_doubt(conn: ReadConnection, *, since: datetime, limit: int = 20) -> list[DeviceInDoubt]:
    """Up to `limit` doubts that were last borne out since a moment, newest first."""
    with conn.cursor(row_factory=class_row(DeviceInDoubt)) as cursor:
        return cursor.execute(_Q["select_devices_in_doubt"], {"since": since, "limit": limit}).fetchall()
