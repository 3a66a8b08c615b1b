"""What each device has left of its allowances, by column: a batch of many devices costs little more than one of few."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from millpond.kernel.arrays import Floats, Ints

_ROOM = 1_024


@dataclass(frozen=True, slots=True)
class Rate:
    """So much within so long; it is all there at first, and grows back evenly. An amount of 0 is no limit."""

    amount: float
    period: timedelta


class Accounts:
    """A row a device, a column a kind of allowance: what is `left` as of the device's last look.

    Rows are found by serial and stay where they are until the oldest are forgotten.
    """

    def __init__(self, rates: Sequence[Rate | None]) -> None:
        limits = [rate if rate and rate.amount else None for rate in rates]
        self._amounts = np.array([np.inf if limit is None else limit.amount for limit in limits])
        self._per_s = np.array([limit.amount / limit.period.total_seconds() if limit else 0.0 for limit in limits])
        self._rows: dict[str, int] = {}
        self.left = np.empty((0, len(limits)))
        self._at_s = np.empty(0)

    def __len__(self) -> int:
        return len(self._rows)

    def find(self, serials: Sequence[str], at: datetime) -> Ints:
        """The rows of these devices, in which what has grown back until `at` is there again."""
        rows = self._rows
        found = [rows.setdefault(serial, len(rows)) for serial in serials]
        self._make_room(at.timestamp())
        places = np.array(found, np.int64)
        self._grow(places, at.timestamp())
        return places

    def forget_oldest(self, most: int) -> None:
        """Keep at most so many: those that were looked at last."""
        count = len(self._rows)
        if count <= most:
            return
        kept = np.sort(np.argsort(self._at_s[:count], kind="stable")[count - most :])
        serials = list(self._rows)
        self._rows = {serials[row]: place for place, row in enumerate(kept.tolist())}
        self.left, self._at_s = self.left[kept], self._at_s[kept]

    def _make_room(self, at_s: float) -> None:
        """Whoever is new has everything."""
        missing = len(self._rows) - len(self.left)
        if missing > 0:
            more = max(missing, _ROOM, len(self.left) // 4)
            self.left = np.concatenate([self.left, np.tile(self._amounts, (more, 1))])
            self._at_s = np.concatenate([self._at_s, np.full(more, at_s)])

    def _grow(self, places: Ints, at_s: float) -> None:
        # A clock that was set back gives nothing, and takes nothing either.
        grown_s: Floats = np.maximum(0.0, at_s - self._at_s[places])
        self.left[places] = np.minimum(self._amounts, self.left[places] + grown_s[:, None] * self._per_s)
        self._at_s[places] = at_s
