"""Watching the platform from outside while things go wrong: its rate, what /readyz says, the memory it takes."""

import contextlib
import http.client
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

import psycopg

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable
from millpond.kernel.waiting import pause, wait_until

_STORED = "select coalesce(sum(stored + conflict), 0)::bigint / 2 from ingest_minute where starts_with(consumer, %s)"
_LOOK_EVERY_S = 0.1


@dataclass(slots=True)
class Readings:
    """What was seen: (moment, samples stored so far), (moment, ready or not), and the largest memory in MB."""

    stored: list[tuple[float, int]] = field(default_factory=list)
    ready: list[tuple[float, bool]] = field(default_factory=list)
    rss_mb: float = 0.0


class Watch:
    """Looks ten times a second, from two threads, until closed. All moments are on the monotonic clock."""

    def __init__(self, dsn: str, consumer: str, http_port: int, rss_mb: Callable[[], float]) -> None:
        self._dsn, self._consumer, self._port, self._rss_mb = dsn, consumer, http_port, rss_mb
        self.seen = Readings()
        self.said = "nothing"
        self._done = threading.Event()
        self._threads = [threading.Thread(target=look, daemon=True) for look in (self._count, self._ask)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for thread in self._threads:
            thread.join(10)

    @property
    def ready(self) -> bool | None:
        """What /readyz said last."""
        return self.seen.ready[-1][1] if self.seen.ready else None

    def rate(self, since: float = 0.0) -> float:
        """Samples stored a second over the last second, all of it after `since`; 0 when nobody can say."""
        newest = self.seen.stored[-1] if self.seen.stored else None
        if newest is None or monotonic() - newest[0] > 1.0:
            return 0.0
        older = [one for one in self.seen.stored[-200:] if one[0] >= since and newest[0] - one[0] >= 1.0]
        return (newest[1] - older[-1][1]) / (newest[0] - older[-1][0]) if older else 0.0

    def until_rate(self, rate: float, patience_s: float, since: float | None = None) -> float:
        """Seconds since `since` (default now) until a whole second, begun after it, stored at least `rate`."""
        since = monotonic() if since is None else since
        wait_until(lambda: self.rate(since) >= rate, f"{rate:.0f} samples a second", timeout_s=patience_s)
        return monotonic() - since

    def until_ready(self, wanted: bool, patience_s: float, since: float) -> float:
        """Seconds from `since` until /readyz said so."""
        wait_until(
            lambda: self.seen.ready and self.seen.ready[-1][0] >= since and self.ready is wanted,
            f"/readyz to turn {'green' if wanted else 'red'}",
            timeout_s=patience_s,
        )
        return next(at for at, ready in self.seen.ready if at >= since and ready is wanted) - since

    def _count(self) -> None:
        while not self._done.is_set():
            with contextlib.suppress(psycopg.Error):
                with psycopg.connect(self._dsn, autocommit=True, connect_timeout=2) as conn:
                    while not self._done.wait(_LOOK_EVERY_S):
                        row = conn.execute(_STORED, [self._consumer]).fetchone()
                        self.seen.stored.append((monotonic(), int(row[0]) if row else 0))
            pause(_LOOK_EVERY_S)

    def _ask(self) -> None:
        while not self._done.wait(_LOOK_EVERY_S):
            self.seen.rss_mb = max(self.seen.rss_mb, self._rss_mb())
            asked = monotonic()
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=3)
                try:
                    connection.request("GET", "/readyz")
                    answer = connection.getresponse()
                    ready, self.said = answer.status == 200, answer.read().decode()
                    # Red counts from the answer, green from the question: neither flatters.
                    self.seen.ready.append((monotonic() if not ready else max(asked, monotonic()), ready))
                finally:
                    connection.close()


def require(condition: object, sentence: str) -> None:
    """Raise Unavailable with a sentence when something is not as it has to be."""
    if not condition:
        raise Unavailable(sentence)
