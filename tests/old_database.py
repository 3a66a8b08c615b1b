"""A database as an earlier version left it, to see that it comes along with what is in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from millpond.embedded.databases import temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import ensure_timescale, load_migrations

# What came before it is for databases that got the extension later.
_FIRST = "0001"
OLD_AT = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def old_database(server_dsn: str, before: str, timescale: str = "") -> Iterator[WriteConnection]:
    """A connection to a database that has had the migrations before `before`, and nothing in it; dropped at the end.

    On a server with TimescaleDB also those for it before `timescale`, by default none and no extension.
    Put in what an old database had, call `migrate(conn, at=…)`, and look at what became of it.
    """
    with temporary_database(server_dsn, prefix="millpond_old") as dsn, connect(dsn) as conn:
        _apply_until(conn, before, timescale)
        yield conn


def _apply_until(conn: WriteConnection, before: str, timescale: str) -> None:
    conn.execute(
        "create table schema_version (name text primary key, checksum text not null, applied_at timestamptz not null)"
    )
    extended = bool(timescale) and ensure_timescale(conn, required=False)
    for migration in load_migrations(timescale=extended):
        if migration.name < before or f"timescale/{_FIRST}" <= migration.name < f"timescale/{timescale}":
            conn.execute(migration.sql.encode())
            conn.execute("insert into schema_version values (%s, %s, %s)", [migration.name, migration.checksum, OLD_AT])
