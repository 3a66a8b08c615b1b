"""The database that a command works on."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from millpond.cli.services import start

if TYPE_CHECKING:
    from millpond.kernel.db import WriteConnection
    from millpond.kernel.settings import Settings


@contextmanager
def opened() -> "Iterator[tuple[Settings, WriteConnection, datetime]]":
    """The settings, a connection to a database of this program's schema, and the moment."""
    from millpond.kernel.db import connect
    from millpond.services import require_schema

    settings = start("database_url")
    require_schema(settings)
    with connect(settings.database_url.get_secret_value(), application="millpond-command") as conn:
        yield settings, conn, settings.make_clock().now()
