"""The daily rollup: it is brought up to date beside others, sees today, and outlives the readings it was made of."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import psycopg
import pytest

from api.reads.households import select_remaining_history
from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.registry import register_device
from devices.retention import devices_endings, drop_old_readings, make_partitions
from devices.store import select_metrics
from devices.tiers.rollup import refresh_tiers
from forecasting.job import run_forecasts
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import LeaseLost, Unavailable
from millpond.kernel.jobs import claim_run
from millpond.kernel.retention import end_old_rows
from millpond.kernel.settings import load_settings

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BEFORE = AT - timedelta(days=30)
# Whole months are dropped, with TimescaleDB whole chunks of a week.
SLACK = timedelta(days=32)


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own."""
    with connect(database) as conn:
        yield conn


def store(conn: WriteConnection, *readings: Reading) -> None:
    """Store readings as ingest does."""
    store_readings(conn, columns_of(readings))


def make_readings(conn: WriteConnection, days: int, serial: str = "P-1") -> list[Reading]:
    """Four a day of a new device for so many days up to AT, falling from 90."""
    model = "generic-purifier-pct"
    device = register_device(conn, serial=serial, model=model, installed_at=AT - days * DAY, at=AT)
    metric = select_metrics(conn)[model]["filter_life_pct"].metric_id
    return [
        Reading(device.device_id, metric, AT - n * 6 * HOUR, float(n % 7 + n // 10), None, AT, False)
        for n in range(days * 4)
    ]


def days_of(readings: list[Reading]) -> list[tuple[Any, ...]]:
    """What the rollup must say of the readings of one series."""
    ordered = sorted(readings, key=lambda r: r.measured_at)
    days: list[tuple[Any, ...]] = []
    for day, group in groupby(ordered, key=lambda r: r.measured_at.replace(hour=0)):
        points = [(r.measured_at, r.value) for r in group if r.value is not None]
        values = [value for _, value in points]
        mean = pytest.approx(sum(values) / len(values))
        first, last = points[0], points[-1]
        days.append((day, first[1], last[1], min(values), max(values), mean, len(values), first[0], last[0]))
    return days


def rollup(conn: WriteConnection, device_id: int) -> list[tuple[object, ...]]:
    query = (
        "select day, first_value, last_value, min_value, max_value, avg_value, readings, first_at, last_at"
        " from reading_day where device_id = %s order by day"
    )
    return conn.execute(query, [device_id]).fetchall()


def count(conn: WriteConnection) -> int:
    row = conn.execute("select count(*) from reading").fetchone()
    assert row is not None
    return int(row[0])


BUSY = """
    create table busy ();
    create or replace procedure refresh_reading_day() language plpgsql as $$
    begin
        lock table busy in access exclusive mode nowait;
    end $$;
"""


def test_a_refresh_waits_until_another_is_done(own: WriteConnection, database: str) -> None:
    own.execute(BUSY)
    waits: list[float] = []
    with connect(database) as other:
        other.execute("begin; lock table busy")

        def wait(seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                other.rollback()

        refresh_tiers(own, wait=wait)
    assert waits == [1.0, 1.0, 1.0]


def test_a_refresh_that_never_gets_its_turn_says_so(own: WriteConnection, database: str) -> None:
    own.execute(BUSY)
    waits: list[float] = []
    with connect(database) as other:
        other.execute("begin; lock table busy")
        with pytest.raises(Unavailable, match="another refresh of the daily rollup is still at work after 3 tries"):
            refresh_tiers(own, tries=3, wait=waits.append)
    assert waits == [1.0, 1.0]


def _no_wait(wait_s: float) -> None:
    pytest.fail(f"it waited for {wait_s} s")


def test_no_other_error_of_a_refresh_is_waited_for(own: WriteConnection) -> None:
    own.execute("create or replace procedure refresh_reading_day() language plpgsql as $$ begin perform 1 / 0; end $$")
    with pytest.raises(psycopg.errors.DivisionByZero):
        refresh_tiers(own, wait=_no_wait)


def test_what_is_read_today_after_a_forecast_is_seen(own: WriteConnection) -> None:
    readings = make_readings(own, days=20)
    store(own, *readings)
    run_forecasts(own, AT, made_at=AT)
    store(own, replace(readings[0], measured_at=AT + HOUR, value=3.0))
    history = select_remaining_history(own, readings[0].device_id, "filter", since=AT - 5 * DAY)
    assert [(day.day, day.remaining_pct) for day in history][-1] == (AT.replace(hour=0), 3.0)


def test_dropped_readings_leave_their_days(own: WriteConnection) -> None:
    readings = make_readings(own, days=120)
    # December has a partition, November has none.
    make_partitions(own, datetime(2025, 12, 1, tzinfo=UTC))
    store(own, *readings)
    refresh_tiers(own)
    dropped = drop_old_readings(own, BEFORE)
    assert dropped == len(readings) - count(own)
    row = own.execute("select min(measured_at) from reading").fetchone()
    assert row is not None
    assert BEFORE - SLACK < row[0] <= BEFORE
    assert rollup(own, readings[0].device_id) == days_of(readings)
    refresh_tiers(own)
    assert rollup(own, readings[0].device_id) == days_of(readings)
    assert drop_old_readings(own, BEFORE) == 0


def test_what_comes_for_a_day_that_is_kept_is_added_to_it(own: WriteConnection) -> None:
    readings = make_readings(own, days=120)
    store(own, *readings)
    drop_old_readings(own, BEFORE)
    left = count(own)
    # Before, between and after what the kept day has; a day that was empty; a state, which has no day.
    old = [r for r in readings if r.measured_at < BEFORE - SLACK]
    device_id = old[0].device_id
    moments = [old[0].measured_at + HOUR, old[5].measured_at + 2 * HOUR, old[-1].measured_at - 7 * DAY]
    late = [replace(old[0], measured_at=at, value=99.0 - n) for n, at in enumerate(moments)]
    store(own, *late, replace(old[0], measured_at=old[0].measured_at + 3 * HOUR, value=None, state="off"))
    refresh_tiers(own)
    assert rollup(own, device_id) == days_of(readings + late)
    assert count(own) == left


def test_a_run_whose_lease_was_taken_over_drops_nothing(own: WriteConnection) -> None:
    store(own, *make_readings(own, days=120))
    before = count(own)
    lost = claim_run(own, "retention", AT, holder="a", at=AT, lease=timedelta(seconds=-1))
    assert lost is not None
    assert claim_run(own, "retention", AT, holder="b", at=AT) is not None
    with pytest.raises(LeaseLost):
        drop_old_readings(own, BEFORE, claim=lost)
    assert count(own) == before


def test_kept_days_go_when_they_are_old(own: WriteConnection) -> None:
    readings = make_readings(own, days=120)
    store(own, *readings)
    drop_old_readings(own, BEFORE)
    end = (AT - 80 * DAY).replace(hour=0)
    days = {ending.table: ending for ending in devices_endings(load_settings(day_keep_days=80))}["reading_day_kept"]
    gone = end_old_rows(own, days, end + 80 * DAY)
    assert gone == len([day for day in days_of(readings) if day[0] < end])
    assert rollup(own, readings[0].device_id)[0][0] == end
