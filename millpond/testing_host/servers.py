"""The servers of a platform under test: those that are given, with a database of our own, or embedded ones."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from millpond.embedded import embedded_broker, embedded_postgres, free_port, hold_port
from millpond.kernel.errors import InvalidInput


@contextmanager
def own_database(dsn: str | None, folder: Path) -> Iterator[str]:
    """DSN of a database that nobody else uses and that is gone afterwards: on the server `dsn`, or embedded."""
    if not dsn:
        with embedded_postgres(folder / "postgres") as embedded:
            yield embedded
        return
    name = f"millpond_test_{secrets.token_hex(8)}"
    _administer(dsn, sql.SQL("create database {}").format(sql.Identifier(name)))
    try:
        yield make_conninfo(dsn, dbname=name)
    finally:
        _administer(dsn, sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _administer(dsn: str, statement: sql.Composed) -> None:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(statement)


class TestBroker:
    """The broker at `given`, or an embedded one on a port of its own that can be taken away and given back."""

    def __init__(self, given: str | None, folder: Path) -> None:
        self._folder = folder / "broker"
        self._port = free_port()
        self._running = ExitStack()
        self._held: socket.socket | None = None
        self.given = bool(given)
        self.url = given or f"mqtt://127.0.0.1:{self._port}"
        self.up = self.given

    def __enter__(self) -> Self:
        if not self.given:
            self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        self._release()

    def start(self) -> None:
        """Start it, again at the same address."""
        if not self.up:
            self._release()
            self._running.enter_context(embedded_broker(self._folder, self._port))
            self.up = True

    def stop(self) -> None:
        """Take it away; its port stays ours. InvalidInput for a broker that was given: it is not ours to stop."""
        if self.given:
            raise InvalidInput("only the embedded broker can be stopped: unset MILLPOND_TEST_BROKER")
        if self.up:
            self._running.close()
            self._held = hold_port(self._port)
            self.up = False

    def _release(self) -> None:
        if self._held is not None:
            self._held.close()
            self._held = None
