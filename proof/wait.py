"""Waiting for something to be so, on a clock that never jumps."""

import threading
from collections.abc import Callable

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable

_PAUSE = threading.Event()


def pause(seconds: float) -> None:
    """Let time pass, where a fault is defined by how long it lasts."""
    _PAUSE.wait(seconds)


class Patience:
    """So many seconds for one thing to happen."""

    def __init__(self, seconds: float, what: str, every_s: float = 0.05) -> None:
        self._seconds, self._what, self._every_s = seconds, what, every_s

    def until(self, condition: Callable[[], object]) -> float:
        """Seconds until `condition` held; Unavailable with one sentence when it did not in time."""
        began = monotonic()
        while not condition():
            if monotonic() - began > self._seconds:
                raise Unavailable(f"waited {self._seconds:g} s in vain for {self._what}")
            pause(self._every_s)
        return monotonic() - began
