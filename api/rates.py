"""How much somebody may send a second, before they have to come later."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import TooManyTries

_AT_ONCE_S = 10


@dataclass(slots=True)
class _Left:
    """How much somebody may still send as of a moment of the machine's clock; below zero is what they owe."""

    amount: float
    at_s: float


class Rates:
    """So many a second for each of a few senders, ten seconds' worth of them at once; 0 is no limit.

    Threads may share it. It counts for this process alone.
    """

    def __init__(self, per_s: int, now: Callable[[], float] = monotonic) -> None:
        self._per_s, self._now = per_s, now
        self._left: dict[int, _Left] = {}
        self._lock = threading.Lock()

    def spend(self, sender: int, amount: int) -> None:
        """Take `amount` from what `sender` may send. Raises TooManyTries while they owe some of it from before."""
        if not self._per_s:
            return
        with self._lock:
            now, most = self._now(), float(self._per_s * _AT_ONCE_S)
            left = self._left.setdefault(sender, _Left(most, now))
            left.amount = min(most, left.amount + (now - left.at_s) * self._per_s)
            left.at_s = now
            if left.amount < 0:
                wait_s = -left.amount / self._per_s
                sentence = f"this source sends more than {self._per_s} events a second: come again in {wait_s:.1f} s"
                raise TooManyTries(sentence, retry_after_s=max(1.0, wait_s))
            left.amount -= amount
