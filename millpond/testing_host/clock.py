"""A clock that stands still until it is told to go on, so that a test decides what time it is."""

from datetime import datetime

from millpond.kernel.errors import InvalidInput


class StillClock:
    """Stands at the moment it was last set to. It never goes back: what was committed keeps its order."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        return self._at

    def set(self, at: datetime) -> None:
        """Go on to `at`; InvalidInput when that has passed."""
        if at < self._at:
            raise InvalidInput(f"it is {self._at.isoformat()} already: time does not go back to {at.isoformat()}")
        self._at = at
