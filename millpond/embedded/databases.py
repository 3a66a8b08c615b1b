"""Databases on a server that may make them: new ones, copies of a template, and their end."""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from millpond.kernel.db import WriteConnection, connect

_CREATE = sql.SQL("create database {name}")
_COPY = sql.SQL("create database {name} template {template}")
_DROP = sql.SQL("drop database if exists {name} with (force)")
_CLOSE = sql.SQL("alter database {name} with allow_connections false")


def create_database(server: str, name: str, *, template: str | None = None) -> str:
    """DSN of the new database `name` on the server: empty, or a copy of `template`, which nobody may be using."""
    made = _COPY.format(name=sql.Identifier(name), template=sql.Identifier(template)) if template else None
    _administer(server, made or _CREATE.format(name=sql.Identifier(name)))
    return make_conninfo(server, dbname=name)


def drop_database(server: str, name: str) -> None:
    """Drop the database, and end whoever is connected to it; nothing to do when there is none."""
    _administer(server, _DROP.format(name=sql.Identifier(name)))


def create_template(server: str, name: str, prepare: Callable[[WriteConnection], object]) -> None:
    """A database that `prepare` has filled, closed to sessions so that it can be copied."""
    with connect(create_database(server, name)) as conn:
        prepare(conn)
    # TimescaleDB's workers would hold a session and so forbid copying.
    _administer(server, _CLOSE.format(name=sql.Identifier(name)))
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])


@contextmanager
def temporary_database(server: str, *, prefix: str, template: str | None = None) -> Iterator[str]:
    """DSN of a database that nobody else uses, and that is gone afterwards; its name begins with `prefix`."""
    name = f"{prefix}_{secrets.token_hex(6)}"
    try:
        yield create_database(server, name, template=template)
    finally:
        drop_database(server, name)


def _administer(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as admin:
        admin.execute(statement)
