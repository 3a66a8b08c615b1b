"""Readings: storing them once, and reading them back as series."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg.rows import class_row

from devices.nouns import Reading
from millpond.kernel.db import ReadConnection, WriteConnection, load_queries
from millpond.kernel.ids import DeviceId, MetricId

_Q = load_queries("devices")

ReadingKey = tuple[DeviceId, MetricId, datetime]


@dataclass(frozen=True, slots=True)
class Point:
    """One raw value of a series."""

    at: datetime
    value: float | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Bucket:
    """The values of one bucket of a series; `at` is its beginning."""

    at: datetime
    value: float
    min_value: float
    max_value: float
    readings: int


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """A piece of one series, both ends included."""

    device_id: DeviceId
    metric_id: int
    from_at: datetime
    to_at: datetime


def reading_key(reading: Reading) -> ReadingKey:
    """What makes a reading unique."""
    return (reading.device_id, reading.metric_id, reading.measured_at)


def insert_readings(conn: WriteConnection, readings: Sequence[Reading]) -> set[ReadingKey]:
    """Store readings (one per key) and return the keys that were new; the others are left as they are."""
    if not readings:
        return set()
    values = _columns(readings) | {"corrected": [r.corrected for r in readings]}
    return set(conn.execute(_Q["insert_readings"], values).fetchall())


def select_readings_by_key(conn: ReadConnection, keys: Sequence[ReadingKey]) -> dict[ReadingKey, Reading]:
    """What is stored under `keys`."""
    if not keys:
        return {}
    moments = [key[2] for key in keys]
    values = {
        "device_ids": [key[0] for key in keys],
        "metric_ids": [key[1] for key in keys],
        "measured_ats": moments,
        "from_at": min(moments),
        "to_at": max(moments),
    }
    with conn.cursor(row_factory=class_row(Reading)) as cursor:
        return {reading_key(r): r for r in cursor.execute(_Q["select_readings_by_key"], values)}


def select_measured_between(conn: ReadConnection, spans: Sequence[TimeSpan]) -> set[tuple[DeviceId, datetime]]:
    """The moments within `spans` at which their series have a reading."""
    values = {
        "device_ids": [span.device_id for span in spans],
        "metric_ids": [span.metric_id for span in spans],
        "from_ats": [span.from_at for span in spans],
        "to_ats": [span.to_at for span in spans],
    }
    return set(conn.execute(_Q["select_measured_between"], values))


def upsert_latest(conn: WriteConnection, readings: Iterable[Reading]) -> None:
    """Keep the newest value per device and metric."""
    newest: dict[tuple[DeviceId, MetricId], Reading] = {}
    for reading in readings:
        known = newest.get((reading.device_id, reading.metric_id))
        if known is None or reading.measured_at > known.measured_at:
            newest[reading.device_id, reading.metric_id] = reading
    if newest:
        conn.execute(_Q["upsert_latest"], _columns([newest[key] for key in sorted(newest)]))


# Series are not prepared: a plan for every range opens all chunks of a long history before it leaves out most of them.


def select_raw_series(
    conn: ReadConnection, device_id: DeviceId, metric_id: MetricId, from_at: datetime, to_at: datetime, limit: int
) -> list[Point]:
    """Up to `limit` values measured in [from_at, to_at), oldest first."""
    values = {"device_id": device_id, "metric_id": metric_id, "from_at": from_at, "to_at": to_at, "limit": limit}
    with conn.cursor(row_factory=class_row(Point)) as cursor:
        return cursor.execute(_Q["select_raw_series"], values, prepare=False).fetchall()


def select_bucketed_series(
    conn: ReadConnection,
    device_id: DeviceId,
    metric_id: MetricId,
    from_at: datetime,
    to_at: datetime,
    bucket: timedelta,
    limit: int,
) -> list[Bucket]:
    """Up to `limit` buckets of numeric values measured in [from_at, to_at), oldest first."""
    values = {
        "device_id": device_id,
        "metric_id": metric_id,
        "from_at": from_at,
        "to_at": to_at,
        "bucket": bucket,
        "limit": limit,
    }
    with conn.cursor(row_factory=class_row(Bucket)) as cursor:
        return cursor.execute(_Q["select_bucketed_series"], values, prepare=False).fetchall()


def _columns(readings: Sequence[Reading]) -> dict[str, list[Any]]:
    return {
        "device_ids": [r.device_id for r in readings],
        "metric_ids": [r.metric_id for r in readings],
        "measured_ats": [r.measured_at for r in readings],
        # One type for the array: a whole number among fractions would be refused.
        "values": [None if r.value is None else float(r.value) for r in readings],
        "states": [r.state for r in readings],
        "received_ats": [r.received_at for r in readings],
    }
