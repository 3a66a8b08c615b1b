"""Whether a device is there: connected, as it says itself, and speaking as often as it usually does.

The two are told apart. A device may be connected and measure nothing, or speak through a hub that says nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg.rows import class_row, kwargs_row, scalar_row

from devices.completeness import read_completeness, usual_interval
from devices.nouns import Device
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import CustomerId, DeviceId
from millpond.kernel.jobs import Claim, held

_Q = load_queries("devices.presence")
_LOOKED_BACK = timedelta(days=28)
_CHUNK = 200


class Connection(StrEnum):
    """What a device, or its hub, last said of its connection."""

    ONLINE = "online"
    OFFLINE = "offline"
    UNKNOWN = "unknown"


class Reporting(StrEnum):
    """Whether a device speaks within its own interval."""

    REPORTING = "reporting"
    QUIET = "quiet"
    NEVER_HEARD = "never_heard"


@dataclass(frozen=True, slots=True)
class Presence:
    """How a device is there. `heard_at`: when its newest value came; `interval_s` is None while it has none."""

    connection: Connection
    connection_since: datetime | None
    reporting: Reporting
    heard_at: datetime | None
    interval_s: float | None


def select_presence(conn: ReadConnection, device_id: DeviceId, at: datetime, since: datetime | None = None) -> Presence:
    """How a device is there at `at`, of what was heard since its owner has it."""
    with conn.cursor(row_factory=kwargs_row(_presence)) as cursor:
        found = cursor.execute(_Q["select_presence"], {"device_id": device_id, "at": at, "since": since}).fetchone()
    assert found is not None
    return found


def _presence(
    *,
    connection: str,
    connection_since: datetime | None,
    reporting: str,
    heard_at: datetime | None,
    interval_s: float | None,
) -> Presence:
    return Presence(Connection(connection), connection_since, Reporting(reporting), heard_at, interval_s)


def select_devices_present(
    conn: ReadConnection,
    at: datetime,
    *,
    connection: str | None,
    reporting: str | None,
    after: int = 0,
    limit: int = 50,
    customer_id: CustomerId | None = None,
) -> list[Device]:
    """Up to `limit` devices with a key above `after` that are there in this way."""
    values = {"at": at, "connection": connection, "reporting": reporting, "after": after, "limit": limit}
    with conn.cursor(row_factory=class_row(Device)) as cursor:
        return cursor.execute(_Q["select_devices_present"], values | {"customer_id": customer_id}).fetchall()


def learn_intervals(conn: WriteConnection, at: datetime, *, claim: Claim | None = None) -> int:
    """Learn how often each device usually speaks from its last four weeks; returns of how many it is known."""
    after, known = 0, 0
    while device_ids := _select_heard(conn, after, at - _LOOKED_BACK):
        learnt = {device_id: _learn(conn, device_id, at) for device_id in device_ids}
        with held(conn, claim):
            intervals = {device_id: interval for device_id, interval in learnt.items() if interval}
            values = {"device_ids": list(intervals), "intervals": list(intervals.values()), "at": at}
            conn.execute(_Q["upsert_intervals"], values)
            conn.execute(_Q["delete_intervals"], {"device_ids": [each for each in learnt if each not in intervals]})
        known, after = known + len(intervals), device_ids[-1]
    return known


def _select_heard(conn: ReadConnection, after: int, since: datetime) -> Sequence[DeviceId]:
    with conn.cursor(row_factory=scalar_row) as cursor:
        return cursor.execute(_Q["select_heard_devices"], {"after": after, "since": since, "limit": _CHUNK}).fetchall()


def _learn(conn: ReadConnection, device_id: DeviceId, at: datetime) -> float | None:
    interval = usual_interval(read_completeness(conn, device_id, at - _LOOKED_BACK, at, at))
    return interval.total_seconds() if interval else None
