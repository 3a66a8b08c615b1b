"""The TimescaleDB path on a real TimescaleDB in WebAssembly: migrations, queries, late data, compression.

It speaks one connection at a time and takes neither COPY nor executemany, so the suite at large runs elsewhere.
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from devices.bulk.columns import columns_of
from devices.bulk.store import insert_readings, select_unlike, upsert_latest
from devices.nouns import Reading
from devices.registry import register_device
from devices.retention import drop_old_readings
from devices.seed import seed_shipped
from devices.store import select_metrics
from devices.tiers.rollup import refresh_tiers
from millpond.embedded.ports import free_port
from millpond.embedded.process import Process
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import migrate, pending_migrations
from millpond.kernel.waiting import wait_until

HERE = Path(__file__).parent
AT = datetime(2026, 3, 1, tzinfo=UTC)
pytestmark = pytest.mark.timescale


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """DSN of a TimescaleDB in WebAssembly."""
    node = shutil.which("node")
    if node is None or not (HERE / "node_modules").exists():
        if os.environ.get("CI"):
            pytest.fail("Node or the pinned test server is missing: run scripts/test")
        pytest.skip("no Node: scripts/test installs it and the pinned test server")
    port = free_port()
    log = tmp_path_factory.mktemp("timescale") / "server.log"
    with Process([node, "server.mjs", str(port)], log, folder=HERE) as process:
        wait_until(lambda: "listening" in process.log_text().split(), "the TimescaleDB to listen", timeout_s=60)
        yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres?sslmode=disable"


@pytest.fixture(scope="module")
def conn(server: str) -> Iterator[WriteConnection]:
    """The one connection, on a migrated and seeded database."""
    with connect(server) as connection:
        # It is built into this server, which therefore needs no preload and shows none.
        connection.execute("create extension timescaledb")
        migrate(connection, at=AT, require_timescale=True)
        seed_shipped(connection, at=AT)
        yield connection


def readings(conn: WriteConnection, serial: str, days: int, before: datetime) -> list[Reading]:
    device = register_device(conn, serial=serial, model="reed-air-2", installed_at=AT - timedelta(days=400), at=AT)
    metric = select_metrics(conn)["reed-air-2"]["filter_life_pct"].metric_id
    moments = [before - timedelta(hours=6 * n) for n in range(1, days * 4 + 1)]
    return [Reading(device.device_id, metric, at, 50.0, None, at, False) for at in moments]


def rollup_days(conn: WriteConnection, device_id: int) -> int:
    row = conn.execute("select count(*) from reading_day where device_id = %s", [device_id]).fetchone()
    assert row is not None
    return int(row[0])


def test_the_migrations_apply_and_reading_is_a_hypertable(conn: WriteConnection) -> None:
    assert pending_migrations(conn) == []
    row = conn.execute(
        "select hypertable_name from timescaledb_information.hypertables where hypertable_name = 'reading'"
    )
    assert row.fetchone() == ("reading",)
    view = conn.execute("select view_name from timescaledb_information.continuous_aggregates").fetchone()
    assert view == ("reading_day_live",)


def test_what_it_does_by_itself_can_be_seen(conn: WriteConnection) -> None:
    names = {name for (name,) in conn.execute("select name from database_job")}
    assert {"policy_compression", "refresh_reading_day_job"} <= names
    assert "policy_refresh_continuous_aggregate" not in names


def test_readings_are_stored_once_also_in_compressed_chunks(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-1", days=30, before=AT)
    assert store(conn, batch) == len(batch)
    conn.execute("select compress_chunk(c) from show_chunks('reading') c")
    assert store(conn, batch) == 0


def test_late_data_is_in_the_rollup_after_a_refresh(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-2", days=10, before=AT)
    store(conn, batch)
    refresh_tiers(conn)
    assert rollup_days(conn, batch[0].device_id) == 10
    late = [Reading(r.device_id, r.metric_id, r.measured_at - timedelta(days=60), 60.0, None, AT, False) for r in batch]
    store(conn, late)
    refresh_tiers(conn)
    assert rollup_days(conn, batch[0].device_id) == 20


def store(conn: WriteConnection, batch: list[Reading]) -> int:
    """Store readings without COPY, which this server does not take; returns how many were new."""
    columns = columns_of(batch)
    unique = columns.take(columns.first_of_each_key())
    with conn.transaction():
        upsert_latest(conn, unique.newest_of_each_series())
        return insert_readings(conn, unique)


def last_in_rollup(conn: WriteConnection, device_id: int) -> datetime:
    row = conn.execute("select max(last_at) from reading_day where device_id = %s", [device_id]).fetchone()
    assert row is not None
    assert isinstance(row[0], datetime)
    return row[0]


def test_the_newest_day_is_seen_as_it_grows_after_a_refresh(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-4", days=5, before=AT + timedelta(hours=12))
    store(conn, batch)
    refresh_tiers(conn)
    store(conn, [replace(batch[0], measured_at=AT + timedelta(hours=13))])
    assert last_in_rollup(conn, batch[0].device_id) == AT + timedelta(hours=13)


def test_days_outlive_chunks_that_somebody_drops(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-5", days=60, before=AT)
    store(conn, batch)
    refresh_tiers(conn)
    conn.execute("select drop_chunks('reading', older_than => %s)", [AT - timedelta(days=30)])
    # A chunk beyond the gap is refreshed, and what is in the gap stays.
    store(conn, [replace(batch[0], measured_at=AT - timedelta(days=200))])
    refresh_tiers(conn)
    assert rollup_days(conn, batch[0].device_id) == 61


def test_days_outlive_the_readings_that_retention_drops(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-6", days=60, before=AT)
    store(conn, batch)
    conn.execute("select compress_chunk(c, if_not_compressed => true) from show_chunks('reading') c")
    refresh_tiers(conn)
    assert drop_old_readings(conn, AT - timedelta(days=30)) > 0
    refresh_tiers(conn)
    assert rollup_days(conn, batch[0].device_id) == 60
    late = replace(batch[-1], measured_at=batch[-1].measured_at - timedelta(days=1))
    store(conn, [late])
    refresh_tiers(conn)
    assert rollup_days(conn, batch[0].device_id) == 61
    row = conn.execute("select min(measured_at) from reading where device_id = %s", [late.device_id]).fetchone()
    assert row is not None
    assert AT - timedelta(days=37) < row[0]


def test_the_rollup_has_the_columns_of_the_plain_one(conn: WriteConnection) -> None:
    columns = conn.execute("select * from reading_day limit 0").description
    assert columns is not None
    assert [c.name for c in columns] == [
        "device_id",
        "metric_id",
        "day",
        "first_value",
        "last_value",
        "min_value",
        "max_value",
        "avg_value",
        "readings",
        "first_at",
        "last_at",
    ]


def test_readings_that_disagree_with_compressed_ones_are_found(conn: WriteConnection) -> None:
    batch = readings(conn, "TS-3", days=60, before=AT)
    store(conn, batch)
    conn.execute("select compress_chunk(c, if_not_compressed => true) from show_chunks('reading') c")
    missing = replace(batch[0], measured_at=AT + timedelta(days=1))
    unlike = select_unlike(conn, columns_of([*batch, replace(batch[0], value=49.0), missing]))
    assert (unlike.missing.tolist(), unlike.differing.tolist()) == ([len(batch) + 1], [len(batch)])
