"""Migrations: forward only, checksummed, one migrator at a time."""

import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from millpond.kernel.db import connect
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.migrate import load_migrations, migrate, pending_migrations

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[str]:
    name = f"millpond_empty_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(f"create database {name}")  # type: ignore[arg-type]
        yield make_conninfo(server_dsn, dbname=name)
        admin.execute(f"drop database {name} with (force)")  # type: ignore[arg-type]


def test_a_second_run_has_nothing_to_do(empty_database: str) -> None:
    with connect(empty_database) as conn:
        assert pending_migrations(conn) != []
        applied = migrate(conn, at=AT)
        assert applied[: len(load_migrations(timescale=False))] == [m.name for m in load_migrations(timescale=False)]
        assert migrate(conn, at=AT) == []
        assert pending_migrations(conn) == []


def test_two_migrators_take_turns(empty_database: str) -> None:
    applied: list[int] = []

    def run() -> None:
        with connect(empty_database) as conn:
            applied.append(len(migrate(conn, at=AT)))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(applied)[:3] == [0, 0, 0]
    assert sorted(applied)[3] > 0


def test_a_migration_that_was_changed_since_is_noticed(database: str) -> None:
    with connect(database) as conn:
        conn.execute("update schema_version set checksum = 'x' where name = '0003_devices.sql'")
        with pytest.raises(ConfigurationError, match=r"0003_devices\.sql was changed after it was applied"):
            migrate(conn, at=AT)


def test_a_newer_database_is_left_alone(database: str) -> None:
    with connect(database) as conn:
        conn.execute("insert into schema_version values ('9999_later.sql', 'x', '2030-01-01Z')")
        with pytest.raises(ConfigurationError, match="does not know"):
            migrate(conn, at=AT)


def test_a_required_timescale_that_is_not_there_is_a_start_up_error(empty_database: str) -> None:
    with connect(empty_database) as conn:
        offered = conn.execute("select 1 from pg_available_extensions where name = 'timescaledb'").fetchone()
        if offered:
            assert any(name.startswith("timescale/") for name in migrate(conn, at=AT, require_timescale=True))
            return
        with pytest.raises(ConfigurationError, match="TimescaleDB is required"):
            migrate(conn, at=AT, require_timescale=True)
        assert conn.execute("select to_regclass('schema_version')").fetchone() == (None,)
