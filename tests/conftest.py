"""Real servers for the tests: given by the environment, by Docker, or embedded; and two kinds of database fixture."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from devices.seed import seed_shipped
from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.migrate import migrate
from tests.servers import embedded_broker_of_a_test, start_broker, start_database

SEED_AT = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def server_dsn() -> Iterator[str]:
    """A PostgreSQL server in which databases may be created."""
    with start_database() as dsn:
        yield dsn


@pytest.fixture(scope="session")
def broker_url() -> Iterator[str]:
    """A real MQTT broker."""
    with start_broker() as url:
        yield url


@pytest.fixture
def own_broker() -> Iterator[str]:
    """A real MQTT broker that holds nothing of other tests: no retained status, no kept session."""
    with embedded_broker_of_a_test() as url:
        yield url


@pytest.fixture(scope="session")
def template(server_dsn: str) -> Iterator[str]:
    """Name of a migrated and seeded database, closed to sessions so that it can be cloned."""
    name = f"millpond_template_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        with connect(make_conninfo(server_dsn, dbname=name)) as conn:
            migrate(conn, at=SEED_AT)
            seed_shipped(conn, at=SEED_AT)
        # TimescaleDB's workers would hold a session and so forbid cloning.
        admin.execute(sql.SQL("alter database {} with allow_connections false").format(sql.Identifier(name)))
        admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [name])
    yield name
    drop(server_dsn, name)


@pytest.fixture
def database(server_dsn: str, template: str) -> Iterator[str]:
    """DSN of a database of the test's own, cloned from the template."""
    with cloned(server_dsn, template) as dsn:
        yield dsn


@contextmanager
def cloned(server_dsn: str, template: str) -> Iterator[str]:
    """DSN of a clone of the template, dropped at the end."""
    name = f"millpond_test_{uuid.uuid4().hex[:12]}"
    clone(server_dsn, template, name)
    try:
        yield make_conninfo(server_dsn, dbname=name)
    finally:
        drop(server_dsn, name)


@pytest.fixture(scope="session")
def shared_database(server_dsn: str, template: str) -> Iterator[str]:
    """One clone for all tests that roll back."""
    name = f"millpond_shared_{os.getpid()}_{uuid.uuid4().hex[:8]}"
    clone(server_dsn, template, name)
    yield make_conninfo(server_dsn, dbname=name)
    drop(server_dsn, name)


@pytest.fixture
def conn(shared_database: str) -> Iterator[WriteConnection]:
    """A connection in a transaction that is rolled back at the end."""
    with connect(shared_database) as connection, connection.transaction(force_rollback=True):
        yield connection


def clone(server_dsn: str, template: str, name: str) -> None:
    """Create database `name` from the template."""
    statement = sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(template))
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(statement)


def drop(server_dsn: str, name: str) -> None:
    """Drop database `name` and end whoever is on it."""
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
