"""`millpond ingest` in a process of its own, as an operator runs it: what it has stored, and the CPU that it takes."""

import math
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString

from benchmarks.fleet import METRICS
from millpond.embedded.process import Process
from millpond.kernel.clock import monotonic
from millpond.kernel.db import WriteConnection
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import wait_until

_STORED = "select coalesce(sum(messages), 0), coalesce(sum(stored), 0) from ingest_minute"
_CONNECTED = "select coalesce(bool_and(connected), false) from ingest_consumer"


class Ingest(Process):
    """A running ingest that has the database of `conn`, the connection by which it is watched."""

    def __init__(self, conn: WriteConnection, settings: Mapping[str, str], folder: Path) -> None:
        words = [sys.executable, "-m", "millpond", "ingest"]
        super().__init__(words, folder / "ingest.log", environment=os.environ | settings)
        self._conn = conn

    def wait_connected(self) -> None:
        """Return when it has said that the broker has it."""
        wait_until(lambda: self._ask(_CONNECTED)[0], "ingest to connect", timeout_s=20)

    def counts(self) -> tuple[int, int]:
        """Messages taken and readings stored so far."""
        messages, stored = self._ask(_STORED)
        return int(messages), int(stored)

    @contextmanager
    def storing(self, messages: int) -> Iterator[None]:
        """A context in which so many messages come; at its end they are committed, and all their readings stored."""
        taken, stored = self.counts()
        yield
        self._wait_for(taken + messages, messages)
        came, kept = self.counts()
        if (came - taken, kept - stored) != (messages, messages * len(METRICS)):
            raise Unavailable(f"{came - taken:,} messages came in and {kept - stored:,} readings were stored of them")

    def drain(self, messages: int) -> float:
        """Messages a second of a queue of so many, from the first commit on: an interpreter takes time to start."""
        before = self.counts()[0]
        with self.storing(messages), self:
            wait_until(lambda: self.counts()[0] > before, "the first commit", timeout_s=30, every_s=0.002)
            first, began = self.counts()[0] - before, monotonic()
            self._wait_for(before + messages, messages)
            seconds = monotonic() - began
        return (messages - first) / seconds if first < messages else math.nan

    def _wait_for(self, count: int, messages: int) -> None:
        patience_s = 60 + messages / 500
        wait_until(lambda: self.counts()[0] >= count, "the last commit", timeout_s=patience_s, every_s=0.02)

    def _ask(self, query: LiteralString) -> tuple[Any, ...]:
        return self._conn.execute(query).fetchone() or ()
