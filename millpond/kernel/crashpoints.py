"""Named places where a test lets a process die as if the machine had, to show that nothing is lost or doubled there.

Off unless MILLPOND_CRASH_AT names the place; then the process kills itself (SIGKILL) when it first comes by.
"""

import os
import signal

CRASH_POINTS = (
    "after-commit-before-ack",
    "after-events-before-ack",
    "after-offer-before-event",
    "after-order-before-ledger",
)
_CRASH_AT = os.environ.get("MILLPOND_CRASH_AT")


def crash_point(name: str) -> None:
    """Die here when that was asked for."""
    if _CRASH_AT is not None and name == _CRASH_AT:
        os.kill(os.getpid(), signal.SIGKILL)
