"""A figure that many ask for at once and that is made once for all of them."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from millpond.kernel.clock import monotonic

T = TypeVar("T")
# Never more than this share of the time goes into making it, however long that takes.
_SHARE = 20


class Shared(Generic[T]):
    """What `make` answers, to all who ask meanwhile; nobody who comes later gets an answer that was begun before.

    With `keep_s` an answer also serves for that long, or for 20 times as long as it took to make. More than
    `waiters_max` who wait for the same are given the last answer at once, so that they hold no threads.
    """

    def __init__(self, make: Callable[[], T], *, keep_s: float = 0.0, waiters_max: int = 4) -> None:
        self._make, self._keep_s, self._waiters_max = make, keep_s, waiters_max
        self._lock, self._counting = threading.Lock(), threading.Lock()
        self.waiters = 0
        self._began = self._kept_until = float("-inf")
        self._answer: T | None = None

    def read(self) -> T:
        """The answer, made now or shared with those who ask at the same time."""
        came = monotonic()
        if self._answer is not None and (came < self._kept_until or self.waiters >= self._waiters_max):
            return self._answer
        with self._counting:
            self.waiters += 1
        try:
            with self._lock:
                if self._answer is None or (self._began <= came and monotonic() >= self._kept_until):
                    self._renew()
                assert self._answer is not None
                return self._answer
        finally:
            with self._counting:
                self.waiters -= 1

    def _renew(self) -> None:
        self._began = monotonic()
        self._answer = self._make()
        took = monotonic() - self._began
        self._kept_until = monotonic() + max(self._keep_s, _SHARE * took) if self._keep_s else self._began
