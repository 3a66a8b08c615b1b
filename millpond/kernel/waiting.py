"""One way to wait: until something is so, with a limit and a sentence, on a clock that never jumps."""

import threading
from collections.abc import Callable

from millpond.kernel.clock import monotonic
from millpond.kernel.errors import Unavailable

_NEVER_SET = threading.Event()


def pause(seconds: float) -> None:
    """Let time pass, where it is the time itself that counts: how long a fault lasts, how often somebody looks."""
    _NEVER_SET.wait(seconds)


def wait_until(condition: Callable[[], object], what: str, *, timeout_s: float, every_s: float = 0.05) -> float:
    """Seconds until `condition()` held, which is asked every `every_s` seconds.

    Raises Unavailable that one waited in vain for `what`; whatever `condition` raises comes through.
    """
    began = monotonic()
    while not condition():
        if monotonic() - began > timeout_s:
            raise Unavailable(f"waited {timeout_s:g} s in vain for {what}")
        pause(every_s)
    return monotonic() - began
