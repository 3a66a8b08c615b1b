"""Readings are divided by month: what comes is stored wherever it belongs, once, and old databases come along."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import psycopg
import pytest

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.retention import make_partitions
from devices.tiers.packing import pack_months
from millpond.kernel import migrate as migrations
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.ids import DeviceId, MetricId
from millpond.kernel.settings import load_settings
from millpond.kernel.waiting import wait_until
from millpond.retention import end_what_is_old
from tests.old_database import OLD_AT, old_database

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
MANY = 10_000


@pytest.fixture
def own(server_dsn: str) -> Iterator[WriteConnection]:
    """A connection outside a transaction, to a database of the test's own in which there is no extension."""
    with old_database(server_dsn, "9999") as conn:
        make_partitions(conn, OLD_AT)
        yield conn


def reading(at: datetime, value: float = 1.0) -> Reading:
    return Reading(DeviceId(1), MetricId(1), at, value, None, at, False)


def partition_of(conn: WriteConnection, at: datetime) -> list[str]:
    rows = conn.execute("select tableoid::regclass::text from reading where measured_at = %s", [at])
    return [row[0] for row in rows]


def test_months_that_are_needed_soon_are_made_ahead_and_only_once(own: WriteConnection) -> None:
    make_partitions(own, AT)
    assert make_partitions(own, AT + 31 * DAY) == ["reading_2026_06"]
    assert make_partitions(own, AT + 31 * DAY) == []
    spans = own.execute("select from_at, to_at from reading_partition order by 1").fetchall()
    assert all(one[1] == next_one[0] for one, next_one in pairwise(spans))
    store_readings(own, columns_of([reading(AT + 100 * DAY)]))
    assert partition_of(own, AT + 100 * DAY) == ["reading_2026_06"]


def test_a_bad_clock_makes_no_partition_and_its_reading_is_stored_once(own: WriteConnection) -> None:
    stray = [reading(AT - n * 400 * DAY) for n in range(1, 10)]
    assert store_readings(own, columns_of(stray)).new == 9
    assert make_partitions(own, AT - 40 * DAY) == []
    assert store_readings(own, columns_of(stray)).new == 0
    assert partition_of(own, stray[0].measured_at) == ["reading_stray"]


def test_a_month_of_which_much_came_late_gets_its_partition_and_stays_stored_once(own: WriteConnection) -> None:
    began = datetime(2025, 6, 1, tzinfo=UTC)
    many = [reading(began + n * MINUTE) for n in range(MANY)]
    store_readings(own, columns_of([*many, reading(began - DAY)]))
    assert end_what_is_old(own, AT - 60 * DAY, load_settings(reading_keep_days=400)).rows_deleted == 0
    assert partition_of(own, began) == ["reading_2025_06"]
    assert partition_of(own, began - DAY) == ["reading_stray"]
    assert store_readings(own, columns_of(many)).new == 0
    assert own.execute("select count(*) from reading").fetchone() == (MANY + 1,)


def test_nothing_is_made_while_somebody_reads_what_belongs_to_no_month_and_it_is_done_later(
    own: WriteConnection,
) -> None:
    with connect(own.info.dsn) as other:
        other.execute("begin")
        other.execute("select from reading")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            make_partitions(own, AT + 200 * DAY)
        end_what_is_old(own, AT + 200 * DAY, load_settings(reading_keep_days=0))
    assert len(make_partitions(own, AT + 200 * DAY)) == 3


def test_an_old_database_comes_along_with_its_readings(server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "ensure_timescale", lambda conn, required: False)
    with old_database(server_dsn, "0190") as conn:
        conn.execute(
            "insert into reading (device_id, metric_id, measured_at, value, received_at)"
            " select 1, 1, t, 1, t from generate_series(%s::timestamptz, %s, interval '1 day') t",
            [OLD_AT - 400 * DAY, OLD_AT],
        )
        days = conn.execute("select * from reading_day order by day").fetchall()
        migrations.migrate(conn, at=OLD_AT)
        make_partitions(conn, OLD_AT)
        assert conn.execute("select * from reading_day order by day").fetchall() == days
        assert store_readings(conn, columns_of([reading(OLD_AT), reading(OLD_AT - 400 * DAY)])).new == 0
        assert partition_of(conn, OLD_AT) == ["reading_before"]
        assert store_readings(conn, columns_of([reading(OLD_AT + 31 * DAY)])).new == 1
        assert partition_of(conn, OLD_AT + 31 * DAY) == ["reading_2026_02"]


def test_a_database_that_gets_the_extension_later_keeps_its_readings(own: WriteConnection) -> None:
    """Where the server offers none, nothing changes."""
    stored = [reading(AT), reading(AT - 300 * DAY)]
    store_readings(own, columns_of(stored))
    migrations.migrate(own, at=OLD_AT)
    assert store_readings(own, columns_of(stored)).new == 0
    assert own.execute("select count(*) from reading").fetchone() == (2,)


def test_a_month_that_is_over_for_long_is_packed_once_and_stores_on(own: WriteConnection) -> None:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    # As they come: all devices at a time, so that their places in the index lie between each other's.
    for n in range(40):
        at = began + n * MINUTE
        store_readings(own, columns_of([replace(reading(at), device_id=DeviceId(d)) for d in range(1, 500)]))
    size = "select pg_relation_size(indexrelid) from pg_index where indrelid = 'reading_2026_01'::regclass"
    before = own.execute(size).fetchone()
    assert pack_months(own, datetime(2026, 2, 14, tzinfo=UTC)) == []
    assert pack_months(own, datetime(2026, 2, 15, tzinfo=UTC)) == ["reading_2026_01"]
    after = own.execute(size).fetchone()
    assert before is not None
    assert after is not None
    assert after[0] < 0.8 * before[0]
    assert pack_months(own, datetime(2026, 2, 15, tzinfo=UTC)) == []
    again = columns_of([reading(began), reading(began + 50 * MINUTE)])
    assert store_readings(own, again).new == 1


def test_a_month_whose_packing_was_killed_midway_is_packed_by_the_next_run(own: WriteConnection) -> None:
    at = datetime(2026, 2, 15, tzinfo=UTC)
    stored = columns_of([reading(datetime(2026, 1, 1, tzinfo=UTC))])
    with connect(own.info.dsn) as writer, connect(own.info.dsn) as packer, ThreadPoolExecutor() as pool:
        writer.execute("begin")
        store_readings(writer, stored)
        packing = pool.submit(pack_months, packer, at)
        waits = "select from pg_locks where pid = %s and not granted"
        pid = packer.info.backend_pid
        wait_until(lambda: own.execute(waits, [pid]).rowcount, "the index to wait for the writer", timeout_s=20)
        own.execute("select pg_terminate_backend(%s)", [pid])
        with pytest.raises(psycopg.OperationalError):
            packing.result()
        writer.rollback()
    assert pack_months(own, at) == ["reading_2026_01"]
    assert pack_months(own, at) == []
    assert own.execute("select from pg_index where not indisvalid").rowcount == 0
    assert store_readings(own, stored).new == 1
