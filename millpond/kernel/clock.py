"""The only place that reads a clock. Everything below the edge takes `at: datetime` (aware, UTC)."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

from millpond.kernel.errors import InvalidInput


class Clock(Protocol):
    """Tells the platform's time; the edge (CLI, scheduler, ingest loop, one API dependency) holds one."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AcceleratedClock:
    """A clock that stood at `origin` when the machine's said `started` and runs `speed` times as fast.

    Two processes given the same three values agree to the machine's precision, so a fleet and a platform
    can share an accelerated time.
    """

    origin: datetime
    started: datetime
    speed: float

    def now(self) -> datetime:
        elapsed = datetime.now(UTC) - self.started
        return self.origin + timedelta(seconds=elapsed.total_seconds() * self.speed)


class StillClock:
    """A clock that stands until somebody sets it, so that a test decides what time it is.

    It never goes back: what was committed keeps its order.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at

    @property
    def at(self) -> datetime:
        """Where it stands. Set it to a later moment; InvalidInput for one that has passed."""
        return self._at

    @at.setter
    def at(self, at: datetime) -> None:
        if at < self._at:
            raise InvalidInput(f"it is {self._at.isoformat()} already: time does not go back to {at.isoformat()}")
        self._at = at

    def now(self) -> datetime:
        return self._at


def parse_clock(text: str) -> Clock:
    """`system`, or `ORIGIN@STARTED*SPEED` with RFC 3339 moments: two processes that are given the same text agree.

    Raises ValueError with one sentence when the text is neither.
    """
    if text == "system":
        return SystemClock()
    try:
        origin, rest = text.split("@")
        started, speed = rest.split("*")
        return AcceleratedClock(datetime.fromisoformat(origin), datetime.fromisoformat(started), float(speed))
    except ValueError as error:
        raise ValueError(f"clock {text!r} is neither 'system' nor ORIGIN@STARTED*SPEED") from error


def require_aware(at: datetime) -> datetime:
    """`at` in UTC; a naive time raises ValueError, because nobody can know which hour it meant."""
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} has no offset: write it as {at.isoformat()}Z or with +09:00")
    return at.astimezone(UTC)


def floor_to_period(at: datetime, period: timedelta) -> datetime:
    """The last whole multiple of `period` since the epoch that is not after `at`."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (at - epoch) // period * period


def monotonic() -> float:
    """Seconds on a clock that never jumps, for measuring how long something took."""
    return time.monotonic()
