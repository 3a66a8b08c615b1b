"""Whoever stores while days are rolled up or dropped: all that they stored is in its hours."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from devices.nouns import Reading
from devices.retention import drop_old_readings, make_partitions
from devices.tiers.rollup import refresh_tiers
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.waiting import wait_until
from tests.devices.tier_world import AT, DAY, HOUR, hours, hours_of, make_readings, store


@pytest.fixture
def own(database: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own."""
    with connect(database) as conn:
        yield conn


@pytest.fixture
def readings(own: WriteConnection) -> list[Reading]:
    """Three an hour for three days up to AT, and a cartridge that was changed at noon the day before."""
    return make_readings(own)


def test_whoever_is_storing_late_readings_is_waited_for(own: WriteConnection, readings: list[Reading]) -> None:
    refresh_tiers(own)
    late = [replace(readings[-1], measured_at=readings[-1].measured_at + timedelta(minutes=1), value=1.0)]
    newer = [replace(readings[0], measured_at=AT + 2 * DAY)]
    store(own, newer, at=AT + 2 * DAY)
    with connect(own.info.dsn) as other:
        other.execute("begin")
        store(other, late)
        with own.transaction(force_rollback=True):
            own.execute("set local lock_timeout = '100ms'")
            with pytest.raises(Exception, match="lock timeout"):
                own.execute("select advance_late_mark(null)")
        other.commit()
    refresh_tiers(own)
    assert hours(own) == hours_of([*readings, *late, *newer])


def test_a_batch_that_is_open_until_its_day_is_over_is_waited_for(
    own: WriteConnection, readings: list[Reading]
) -> None:
    store(own, [newer := replace(readings[0], measured_at=AT + DAY)], at=AT + DAY)
    last = replace(readings[0], measured_at=AT + HOUR / 2)
    with connect(own.info.dsn) as other, ThreadPoolExecutor() as pool:
        other.execute("begin")
        store(other, [last], at=AT + HOUR)
        refreshing = pool.submit(refresh_tiers, own)
        wait_until(lambda: waits_for_a_lock(other, own.info.backend_pid), "the refresh to wait", timeout_s=20)
        store(other, [today := replace(newer, measured_at=AT + DAY + HOUR)], at=AT + DAY)
        other.commit()
        refreshing.result()
    assert hours(own) == hours_of([*readings, last, newer, today])


def test_a_batch_that_comes_when_its_day_is_over_by_its_own_clock_only_marks_it(
    own: WriteConnection, readings: list[Reading]
) -> None:
    store(own, [newer := replace(readings[0], measured_at=AT + DAY)], at=AT + DAY)
    refresh_tiers(own)
    store(own, [last := replace(readings[0], measured_at=AT + HOUR / 2)], at=AT + HOUR)
    refresh_tiers(own)
    assert hours(own) == hours_of([*readings, last, newer])


def test_nobody_waits_to_store_what_is_of_today_while_yesterday_becomes_over(
    own: WriteConnection, readings: list[Reading]
) -> None:
    store(own, [replace(readings[0], measured_at=AT + DAY)], at=AT + DAY)
    with connect(own.info.dsn) as other:
        with own.transaction(force_rollback=True):
            own.execute("select advance_late_mark(null)")
            other.execute("set lock_timeout = '1s'")
            store(other, [replace(readings[0], measured_at=AT + DAY + HOUR)], at=AT + DAY + HOUR)


@pytest.mark.parametrize("divided", [False, True])
def test_what_is_stored_just_when_its_month_is_dropped_is_in_its_hours(
    own: WriteConnection, readings: list[Reading], divided: bool
) -> None:
    if divided:
        make_partitions(own, AT - 28 * DAY)
    newest = replace(readings[0], measured_at=AT + 80 * DAY)
    store(own, [newest], at=AT + 80 * DAY)
    refresh_tiers(own)
    # So that the month of the readings is the next one to go.
    drop_old_readings(own, AT - 28 * DAY)
    late = replace(readings[-1], measured_at=readings[-1].measured_at + timedelta(minutes=1), value=1.0)
    with connect(own.info.dsn) as other, ThreadPoolExecutor() as pool:
        other.execute("begin")
        store(other, [late], at=AT + 80 * DAY)
        dropping = pool.submit(drop_old_readings, own, AT + 79 * DAY)
        wait_until(lambda: waits_for_a_lock(other, own.info.backend_pid), "the drop to wait", timeout_s=20)
        other.commit()
        dropping.result()
    drop_old_readings(own, AT + 79 * DAY)
    assert own.execute("select count(*) from reading").fetchone() == (1,)
    assert hours(own) == hours_of([*readings, late, newest])


def waits_for_a_lock(conn: WriteConnection, pid: int) -> bool:
    return conn.execute("select from pg_locks where pid = %s and not granted", [pid]).rowcount > 0
