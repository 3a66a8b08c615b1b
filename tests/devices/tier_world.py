"""Readings of three days, stored as ingest does, and the hours that must come of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.registry import register_device
from devices.store import select_metrics
from devices.tiers.late import mark_late
from millpond.kernel.db import WriteConnection

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
MODEL = "reed-air-2"


def make_readings(own: WriteConnection) -> list[Reading]:
    """Three an hour for three days up to AT, and a cartridge that was changed at noon the day before."""
    device = register_device(own, serial="R-1", model=MODEL, installed_at=AT - 3 * DAY, at=AT)
    metrics = select_metrics(own)[MODEL]
    life, tag = metrics["filter_life_pct"].metric_id, metrics["filter_tag"].metric_id
    moments = [AT - n * HOUR / 3 for n in range(3 * 72)]
    values = [Reading(device.device_id, life, at, 90 - n / 10, None, at, False) for n, at in enumerate(moments)]
    tags = [replace(r, metric_id=tag, value=None, state="old" if r.measured_at < AT - DAY else "new") for r in values]
    store(own, [*values, *tags])
    return values


def store(conn: WriteConnection, readings: list[Reading], at: datetime = AT) -> None:
    """As ingest does."""
    columns = columns_of(readings)
    with conn.transaction():
        store_readings(conn, columns)
        mark_late(conn, columns, at)


def hours(conn: WriteConnection) -> list[tuple[object, ...]]:
    return conn.execute(
        "select hour, min_value, max_value, avg_value, readings from reading_hour order by hour"
    ).fetchall()


def hours_of(readings: list[Reading]) -> list[tuple[object, ...]]:
    by_hour: dict[datetime, list[float]] = {}
    for reading in sorted(readings, key=lambda r: r.measured_at):
        assert reading.value is not None
        by_hour.setdefault(reading.measured_at.replace(minute=0), []).append(reading.value)
    return [(at, min(some), max(some), pytest.approx(mean(some)), len(some)) for at, some in by_hour.items()]
