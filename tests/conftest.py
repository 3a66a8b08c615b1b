"""Real servers for the tests: given by the environment, by Docker, or embedded; and two kinds of database fixture."""

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from millpond.embedded.databases import create_template, drop_database, temporary_database
from millpond.kernel.db import WriteConnection, connect
from millpond.services import prepare_schema
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
    name = f"millpond_template_{os.getpid()}_{secrets.token_hex(4)}"
    create_template(server_dsn, name, lambda conn: prepare_schema(conn, SEED_AT))
    yield name
    drop_database(server_dsn, name)


@pytest.fixture
def database(server_dsn: str, template: str) -> Iterator[str]:
    """DSN of a database of the test's own, cloned from the template."""
    with temporary_database(server_dsn, prefix="millpond_test", template=template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def shared_database(server_dsn: str, template: str) -> Iterator[str]:
    """One clone for all tests that roll back."""
    with temporary_database(server_dsn, prefix=f"millpond_shared_{os.getpid()}", template=template) as dsn:
        yield dsn


@pytest.fixture
def conn(shared_database: str) -> Iterator[WriteConnection]:
    """A connection in a transaction that is rolled back at the end."""
    with connect(shared_database) as connection, connection.transaction(force_rollback=True):
        yield connection
