"""Migrations: forward only, checksummed, one migrator at a time."""

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from millpond.embedded.databases import temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.migrate import load_migrations, migrate, pending_migrations
from millpond.kernel.timescale import look_for_timescale

AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def empty_database(server_dsn: str) -> Iterator[str]:
    with temporary_database(server_dsn, prefix="millpond_empty") as dsn:
        yield dsn


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


def tell_of_timescale(conn: WriteConnection, version: str, *, loaded: bool) -> None:
    """Let the server's catalogue say that it offers TimescaleDB, and whether it loads it at start."""
    conn.execute("create schema told")
    conn.execute(
        f"create view told.pg_available_extensions as select 'timescaledb' as name, '{version}' as default_version"
    )
    conn.execute(f"create view told.pg_settings as select 'timescaledb.disable_load' as name where {loaded}")
    conn.execute("set search_path = public, told, pg_catalog")


UNUSABLE = [
    ("2.28.3", False, "shared_preload_libraries in postgresql.conf and restart"),
    ("2.22.1", True, "TimescaleDB 2.22.1 is too old: upgrade it to 2.23 or newer"),
]


@pytest.mark.parametrize(("version", "loaded", "change"), UNUSABLE)
def test_a_timescale_that_cannot_be_used_is_done_without(
    empty_database: str, version: str, loaded: bool, change: str
) -> None:
    with connect(empty_database) as conn:
        tell_of_timescale(conn, version, loaded=loaded)
        with pytest.raises(ConfigurationError, match=change):
            migrate(conn, at=AT, require_timescale=True)
        plain = [m.name for m in load_migrations(timescale=False)]
        assert pending_migrations(conn) == plain
        assert migrate(conn, at=AT) == plain
        assert migrate(conn, at=AT) == []


def test_what_is_missing_before_the_first_migrate_is_what_it_applies(empty_database: str) -> None:
    with connect(empty_database) as conn:
        missing = pending_migrations(conn)
        assert migrate(conn, at=AT) == missing
        assert look_for_timescale(conn).usable == any(name.startswith("timescale/") for name in missing)


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
