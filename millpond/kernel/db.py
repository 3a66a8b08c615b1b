"""PostgreSQL: pools, two types of connection, named queries, and errors by constraint name."""

import re
import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files
from typing import Any, LiteralString, cast

import orjson
import psycopg
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg_pool import ConnectionPool

from millpond.kernel.errors import MillpondError

# The standard library takes longer to read an offer's facts than PostgreSQL takes to find them.
set_json_loads(orjson.loads)


class ReadConnection(psycopg.Connection[TupleRow]):
    """May be handed to any `select_` function; from `open_read_pool` it cannot write at all."""


class WriteConnection(ReadConnection):
    """May also be handed to functions that write; a use case opens `with conn.transaction()` on it."""


# Times come back in UTC whatever the server's zone is, and a lost server is noticed in seconds, not in minutes.
_SESSION = "-c TimeZone=UTC -c client_encoding=UTF8"
_KEEPALIVE: dict[str, Any] = {
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
    "connect_timeout": 5,
}


# A pool that finds its database gone gives up quickly, and the next request tries anew. By default it would wait ever
# longer between two attempts, and answer for half a minute that a database is away which has long been back.
_POOL_GIVES_UP_S = 1.0


def connect(
    dsn: str, *, application: str = "millpond", transaction_idle_max: timedelta = timedelta(0)
) -> WriteConnection:
    """One autocommit connection; transactions are opened with `conn.transaction()`.

    A transaction in which nothing is said for `transaction_idle_max` is rolled back by the server; zero means never.
    """
    idle_ms = transaction_idle_max // timedelta(milliseconds=1)
    options = f"{_SESSION} -c idle_in_transaction_session_timeout={idle_ms}"
    return WriteConnection.connect(dsn, autocommit=True, options=options, application_name=application, **_KEEPALIVE)


def open_write_pool(dsn: str, *, max_size: int = 8, application: str = "millpond") -> ConnectionPool[WriteConnection]:
    """A pool for use cases that write. It opens without waiting: a database that is away is not an exception here."""
    return ConnectionPool(
        dsn,
        connection_class=WriteConnection,
        kwargs=_pool_kwargs(_SESSION, application),
        min_size=1,
        max_size=max_size,
        timeout=5,
        reconnect_timeout=_POOL_GIVES_UP_S,
        check=_check_connection,
        open=True,
    )


def open_read_pool(dsn: str, *, max_size: int = 8, application: str = "millpond") -> ConnectionPool[ReadConnection]:
    """A pool whose sessions are read-only in the database itself."""
    return ConnectionPool(
        dsn,
        connection_class=ReadConnection,
        kwargs=_pool_kwargs(f"{_SESSION} -c default_transaction_read_only=on", application),
        min_size=1,
        max_size=max_size,
        timeout=5,
        reconnect_timeout=_POOL_GIVES_UP_S,
        check=_check_connection,
        open=True,
    )


def _check_connection(conn: ReadConnection) -> None:
    """Raise OperationalError when the server has ended the connection, before somebody is given it.

    A server that ends a connection says so, and then there is something to read. Only then is it asked, because a
    question and an answer cost as much as a short query. One that went away without a word is noticed by the query.
    """
    waiting = select.poll()
    waiting.register(conn.fileno(), select.POLLIN)
    if waiting.poll(0):
        ConnectionPool.check_connection(conn)


def _pool_kwargs(options: str, application: str) -> dict[str, Any]:
    return {"autocommit": True, "options": options, "application_name": application, **_KEEPALIVE}


_NAME_LINE = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


def load_queries(package: str) -> Mapping[str, LiteralString]:
    """The named statements of `package`'s `queries.sql`.

    The file is a sequence of: a line `-- name: select_thing`, one comment sentence, the statement.
    """
    text = (files(package) / "queries.sql").read_text(encoding="utf-8")
    _, *parts = _NAME_LINE.split(text)
    names, bodies = parts[::2], parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/queries.sql names a query twice")
    # The text is a file of ours, reviewed like code: as literal as SQL gets.
    return {name: cast(LiteralString, body.strip()) for name, body in zip(names, bodies, strict=True)}


Refusals = Mapping[str, Callable[[], MillpondError]]
"""By the name of a constraint, what makes the error of whoever violates it.

What makes it, never the error itself: Python writes into an error each time that it is raised, so one that is kept
holds the frames of every request it ever refused, and shows one caller what another one did.
"""


@contextmanager
def refusing(conn: WriteConnection, by_constraint: Refusals) -> Iterator[None]:
    """Do the body whole or not at all (a savepoint keeps the caller's transaction usable).

    Raises the domain error of the constraint that was violated; a violation of any other is a bug and stays what it is.
    """
    try:
        with conn.transaction():
            yield
    except psycopg.IntegrityError as error:
        refusal = by_constraint.get(error.diag.constraint_name or "")
        if refusal is None:
            raise
        raise refusal() from error
