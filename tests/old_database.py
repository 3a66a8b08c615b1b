"""A database as an earlier version left it, to see that it comes along with what is in it."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import load_migrations
from tests.conftest import drop

OLD_AT = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def old_database(server_dsn: str, before: str) -> Iterator[WriteConnection]:
    """A connection to a database that has had the migrations before `before`, and nothing in it; dropped at the end.

    Put in what an old database had, call `migrate(conn, at=…)`, and look at what became of it.
    """
    name = f"millpond_old_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        with connect(make_conninfo(server_dsn, dbname=name)) as conn:
            _apply_until(conn, before)
            yield conn
    finally:
        drop(server_dsn, name)


def _apply_until(conn: WriteConnection, before: str) -> None:
    conn.execute(
        "create table schema_version (name text primary key, checksum text not null, applied_at timestamptz not null)"
    )
    for migration in load_migrations(timescale=False):
        if migration.name < before:
            conn.execute(migration.sql.encode())
            conn.execute("insert into schema_version values (%s, %s, %s)", [migration.name, migration.checksum, OLD_AT])
