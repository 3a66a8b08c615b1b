"""Answers that are kept for seconds, so that whoever asks again at once does not pay again."""

import threading
from collections.abc import Hashable
from typing import Generic, TypeVar

from millpond.kernel.clock import monotonic

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """Up to `most` answers, each for `keep_s` seconds of the machine; 0 keeps none. Threads may share it."""

    def __init__(self, *, keep_s: float, most: int) -> None:
        self._keep_s, self._most = keep_s, most
        self._lock = threading.Lock()
        self._kept: dict[K, tuple[float, V]] = {}

    def find(self, key: K) -> V | None:
        """The answer kept under `key`; None when there is none, or its time is over."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and monotonic() < kept[0] else None

    def forget(self) -> None:
        """Keep nothing of what was kept."""
        with self._lock:
            self._kept.clear()

    def keep(self, key: K, answer: V) -> None:
        """Keep the answer from now on; the oldest makes room when there are too many."""
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = (monotonic() + self._keep_s, answer)
            if len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
