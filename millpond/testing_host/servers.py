"""The servers of a platform under test: those that are given, with a database of our own, or embedded ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from millpond.embedded.broker import Broker
from millpond.embedded.databases import temporary_database
from millpond.embedded.postgres import embedded_postgres
from millpond.kernel.errors import InvalidInput


@contextmanager
def own_database(dsn: str | None, folder: Path) -> Iterator[str]:
    """DSN of a database that nobody else uses and that is gone afterwards: on the server `dsn`, or embedded."""
    if dsn:
        with temporary_database(dsn, prefix="millpond_test") as own:
            yield own
    else:
        with embedded_postgres(folder / "postgres") as embedded:
            yield embedded


class HostedBroker:
    """The broker at `given`, or an embedded one on a port of its own that can be taken away and given back."""

    def __init__(self, given: str | None, folder: Path) -> None:
        self._own = None if given else Broker(folder / "broker")
        self.url = self._own.url if self._own else str(given)

    def __enter__(self) -> Self:
        if self._own:
            self._own.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._own:
            self._own.__exit__(kind, error, trace)

    @property
    def given(self) -> bool:
        """Whether it is somebody else's."""
        return self._own is None

    @property
    def up(self) -> bool:
        """Whether it runs; one that was given does."""
        return self._own is None or self._own.alive

    def start(self) -> None:
        """Start it, again at the same address."""
        if self._own and not self._own.alive:
            self._own.start()

    def stop(self) -> None:
        """Take it away; its port stays ours. InvalidInput for a broker that was given: it is not ours to stop."""
        if self._own is None:
            raise InvalidInput("only the embedded broker can be stopped: unset MILLPOND_TEST_BROKER")
        self._own.stop()
