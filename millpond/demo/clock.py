"""The demo's clock: real time while the history is sent, then as fast as the demo's viewer likes."""

from datetime import datetime

from millpond.kernel.clock import AcceleratedClock, Clock, SystemClock


class DemoClock:
    """A clock that can be made to run faster from the moment it shows; it never goes back."""

    def __init__(self, not_before: datetime | None = None) -> None:
        now = SystemClock().now()
        late = not_before is not None and not_before > now
        self._inner: Clock = AcceleratedClock(not_before, now, 1) if late and not_before else SystemClock()

    def now(self) -> datetime:
        return self._inner.now()

    def accelerate(self, speed: float) -> None:
        """From now on a real second is `speed` seconds."""
        self._inner = AcceleratedClock(self._inner.now(), SystemClock().now(), speed)
