"""How many messages may go out by now."""

from dataclasses import dataclass

from millpond.kernel.clock import monotonic

MOST_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop by itself: after so many seconds, or so many messages of the whole run. `rate` is messages/s."""

    duration_s: float | None = None
    messages: int | None = None
    rate: float | None = None


class Pace:
    """How many messages may go out by now, under `limits`, counted from `published` at the start."""

    def __init__(self, limits: Limits, published: int) -> None:
        self._limits, self._published, self._began = limits, published, monotonic()

    def allowance(self, published: int) -> int:
        done = published - self._published
        allowed = MOST_AT_ONCE if self._limits.messages is None else self._limits.messages - done
        if self._limits.rate is not None:
            allowed = min(allowed, int((monotonic() - self._began) * self._limits.rate) + 1 - done)
        return max(0, allowed)

    def spent(self, published: int) -> bool:
        if self._limits.messages is not None and published - self._published >= self._limits.messages:
            return True
        return self._limits.duration_s is not None and monotonic() - self._began >= self._limits.duration_s
