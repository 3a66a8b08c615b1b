"""Several who do something at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from millpond.kernel.db import WriteConnection, connect
from millpond.kernel.errors import MillpondError

T = TypeVar("T")


def race(database: str, tries: Sequence[Callable[[WriteConnection], T]]) -> list[T | MillpondError]:
    """All at the same moment, each on a connection of its own; what each came to."""
    start = threading.Barrier(len(tries))

    def run(attempt: Callable[[WriteConnection], T]) -> T | MillpondError:
        with connect(database) as own:
            start.wait()
            try:
                return attempt(own)
            except MillpondError as error:
                return error

    with ThreadPoolExecutor(len(tries)) as threads:
        return list(threads.map(run, tries))
