"""The fixtures of the API's tests."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from api.app import create_app
from millpond.kernel.db import connect, open_read_pool, open_write_pool
from millpond.kernel.settings import Settings
from tests.api.house import SECRET, FixedClock, House, settle


@pytest.fixture
def settings(database: str) -> Settings:
    return Settings(database_url=SecretStr(database), jwt_secret=SecretStr(SECRET), public_url="https://pond.example")


@pytest.fixture
def house(settings: Settings) -> Iterator[House]:
    """Ann (bound to Mina of the Harbour) has a purifier; Ben (bound to nobody) has a TV."""
    dsn = settings.database_url.get_secret_value()
    clock = FixedClock()
    with open_read_pool(dsn, max_size=4) as reads, open_write_pool(dsn, max_size=4) as writes:
        app = create_app(settings, clock=clock, read_pool=reads, write_pool=writes)
        with connect(dsn) as conn:
            yield settle(conn, app, clock, dsn)
