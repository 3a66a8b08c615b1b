"""Numbered, forward-only, checksummed SQL migrations; one transaction each, one migrator at a time."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable

import psycopg

from millpond.kernel.db import ReadConnection, WriteConnection
from millpond.kernel.errors import ConfigurationError
from millpond.kernel.timescale import look_for_timescale

_LOCK_KEY = 7_164_231
_MINIMUM_VERSION = 150_000


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: its name (`timescale/0001_….sql` for those that need the extension), text and SHA-256."""

    name: str
    sql: str
    checksum: str


def load_migrations(*, timescale: bool) -> list[Migration]:
    """The plain migrations in order, followed by those for TimescaleDB when `timescale` is true."""
    root = files("millpond") / "migrations"
    found = [
        _read(root / path.name, path.name)
        for path in sorted(root.iterdir(), key=lambda p: p.name)
        if path.name.endswith(".sql")
    ]
    if timescale:
        folder = root / "timescale"
        found += [
            _read(folder / path.name, f"timescale/{path.name}")
            for path in sorted(folder.iterdir(), key=lambda p: p.name)
            if path.name.endswith(".sql")
        ]
    return found


def _read(path: Traversable, name: str) -> Migration:
    sql = path.read_text(encoding="utf-8")
    return Migration(name, sql, hashlib.sha256(sql.encode()).hexdigest())


def migrate(conn: WriteConnection, *, at: datetime, require_timescale: bool = False) -> list[str]:
    """Bring the schema up to date and return the names of the migrations that were applied now.

    Raises ConfigurationError when the server is older than PostgreSQL 15, when an applied file was changed since,
    when the database is newer than this program, or when TimescaleDB is required or in use and cannot be used.
    """
    _require_version(conn)
    conn.execute("select pg_advisory_lock(%s)", [_LOCK_KEY])
    try:
        # Within the lock: who lost a race for the extension would take it for absent.
        timescale = ensure_timescale(conn, required=require_timescale)
        conn.execute(
            "create table if not exists schema_version"
            " (name text primary key, checksum text not null, applied_at timestamptz not null)"
        )
        migrations = load_migrations(timescale=timescale)
        applied = _applied(conn)
        _require_unchanged(migrations, applied)
        missing = [m for m in migrations if m.name not in applied]
        for migration in missing:
            _apply(conn, migration, at)
        return [m.name for m in missing]
    finally:
        conn.execute("select pg_advisory_unlock(%s)", [_LOCK_KEY])


def pending_migrations(conn: ReadConnection) -> list[str]:
    """Names of migrations that this program has and the database has not; empty means the schema is current."""
    if conn.execute("select to_regclass('schema_version')").fetchone() == (None,):
        return [m.name for m in load_migrations(timescale=look_for_timescale(conn).usable)]
    timescale = look_for_timescale(conn).installed is not None
    applied = _applied(conn)
    return [m.name for m in load_migrations(timescale=timescale) if m.name not in applied]


def ensure_timescale(conn: WriteConnection, *, required: bool) -> bool:
    """Create the extension when the server offers and loads it; whether it is there now.

    Raises ConfigurationError when it is required or already in use, and cannot be.
    """
    found = look_for_timescale(conn)
    if found.fault is not None and (required or found.installed):
        raise ConfigurationError(": ".join(found.fault))
    if found.installed:
        return True
    if found.usable:
        try:
            conn.execute("create extension if not exists timescaledb")
            return True
        except psycopg.Error as error:
            if required:
                raise ConfigurationError(
                    f"TimescaleDB is required but could not be created: {error.diag.message_primary}"
                ) from error
    if required:
        raise ConfigurationError(
            "TimescaleDB is required but this server does not offer it: install it,"
            " or set MILLPOND_REQUIRE_TIMESCALE=false"
        )
    return False


def _require_version(conn: WriteConnection) -> None:
    if conn.info.server_version < _MINIMUM_VERSION:
        raise ConfigurationError(f"PostgreSQL 15 or newer is needed, this is {conn.info.server_version // 10_000}")


def _applied(conn: ReadConnection) -> dict[str, str]:
    return dict(conn.execute("select name, checksum from schema_version").fetchall())


def _require_unchanged(migrations: list[Migration], applied: dict[str, str]) -> None:
    known = {m.name: m.checksum for m in migrations}
    for name, checksum in applied.items():
        if name not in known:
            raise ConfigurationError(f"the database has migration {name}, which this version of Millpond does not know")
        if known[name] != checksum:
            raise ConfigurationError(f"migration {name} was changed after it was applied; restore the file")


def _apply(conn: WriteConnection, migration: Migration, at: datetime) -> None:
    try:
        with conn.transaction():
            conn.execute(migration.sql)
            conn.execute(
                "insert into schema_version (name, checksum, applied_at) values (%s, %s, %s)",
                [migration.name, migration.checksum, at],
            )
    except psycopg.Error as error:
        raise ConfigurationError(f"migration {migration.name} failed: {error.diag.message_primary or error}") from error
