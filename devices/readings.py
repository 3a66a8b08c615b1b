"""Readings, read back as series; `devices.bulk` stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg.rows import class_row

from millpond.kernel.db import ReadConnection, load_queries
from millpond.kernel.ids import DeviceId, MetricId

_Q, _TIERS = load_queries("devices"), load_queries("devices.tiers")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


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


def select_measured_between(conn: ReadConnection, spans: Sequence[TimeSpan]) -> set[tuple[DeviceId, datetime]]:
    """The moments within `spans` at which their series have a reading."""
    values = {
        "device_ids": [span.device_id for span in spans],
        "metric_ids": [span.metric_id for span in spans],
        "from_ats": [span.from_at for span in spans],
        "to_ats": [span.to_at for span in spans],
    }
    return set(conn.execute(_Q["select_measured_between"], values))


# Series are not prepared: a plan for every range opens all chunks of a long history before it leaves out most of them.


def select_raw_series(
    conn: ReadConnection, device_id: DeviceId, metric_id: MetricId, from_at: datetime, to_at: datetime, limit: int
) -> list[Point]:
    """Up to `limit` values measured in [from_at, to_at), oldest first."""
    values = {"device_id": device_id, "metric_id": metric_id, "from_at": from_at, "to_at": to_at, "limit": limit}
    with conn.cursor(row_factory=class_row(Point)) as cursor:
        return cursor.execute(_TIERS["select_raw_series"], values, prepare=False).fetchall()


def select_bucketed_series(
    conn: ReadConnection,
    device_id: DeviceId,
    metric_id: MetricId,
    from_at: datetime,
    to_at: datetime,
    bucket: timedelta,
    limit: int,
) -> list[Bucket]:
    """Up to `limit` buckets of numeric values measured in [from_at, to_at), oldest first.

    Made of the coarsest tier of which a bucket is a whole number: days, hours, or readings.
    """
    values = {
        "device_id": device_id,
        "metric_id": metric_id,
        "from_at": from_at,
        "to_at": to_at,
        "bucket": bucket,
        "limit": limit,
    }
    name = "select_bucketed_series"
    for unit, of_tier in ((_DAY, "select_daily_series"), (_HOUR, "select_hourly_series")):
        if bucket % unit == timedelta():
            name, values = of_tier, values | _ends(from_at, to_at, unit)
            break
    with conn.cursor(row_factory=class_row(Bucket)) as cursor:
        return cursor.execute(_TIERS[name], values, prepare=False).fetchall()


def _ends(from_at: datetime, to_at: datetime, unit: timedelta) -> dict[str, datetime]:
    """Where the whole units of a span end, and the pieces before the first and after the last of them."""
    inner_from, inner_to = from_at + -(from_at - _EPOCH) % unit, to_at - (to_at - _EPOCH) % unit
    return {"inner_to": inner_to, "first_to": min(inner_from, to_at), "last_from": max(inner_from, inner_to)}
