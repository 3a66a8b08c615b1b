"""The fixtures of the API's tests."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from pydantic import SecretStr

from api.app import create_app
from millpond.embedded.databases import temporary_database
from millpond.kernel.clock import StillClock
from millpond.kernel.db import connect, open_read_pool, open_write_pool
from millpond.kernel.settings import Settings
from tests.api.world import DEVICE_SECRET, NOW, SECRET, World, make_world


@pytest.fixture
def settings(database: str) -> Settings:
    return make_settings(database)


@pytest.fixture
def world(settings: Settings) -> Iterator[World]:
    """Ann (bound to Mina of the Harbour) has a purifier; Ben (bound to nobody) has a TV."""
    with open_world(settings) as opened:
        yield opened


@pytest.fixture(scope="session")
def still_world(server_dsn: str, template: str) -> Iterator[World]:
    """One world for all tests in which nothing is written and the clock stands."""
    with (
        temporary_database(server_dsn, prefix="millpond_test", template=template) as dsn,
        open_world(make_settings(dsn)) as opened,
    ):
        before = count_rows(opened)
        yield opened
        assert count_rows(opened) == before, "a test of the still world wrote something"


def make_settings(dsn: str) -> Settings:
    return Settings(
        database_url=SecretStr(dsn),
        jwt_secret=SecretStr(SECRET),
        public_url="https://pond.example",
        metrics_keep_s=0,
        device_secret=SecretStr(DEVICE_SECRET),
    )


@contextmanager
def open_world(settings: Settings) -> Iterator[World]:
    dsn, clock = settings.database_url.get_secret_value(), StillClock(NOW)
    with open_read_pool(dsn, max_size=4) as reads, open_write_pool(dsn, max_size=4) as writes:
        app = create_app(settings, clock=clock, read_pool=reads, write_pool=writes)
        with connect(dsn) as conn:
            yield make_world(conn, app, clock, dsn)


def count_rows(world: World) -> tuple[object, ...] | None:
    with world.connect() as conn:
        return conn.execute(
            "select (select count(*) from device), (select count(*) from binding), (select count(*) from scan),"
            " (select count(*) from customer_order), (select count(*) from idempotency_key)"
        ).fetchone()
