"""Tells the operator of devices that are beyond their allowances: at once in the metrics, once a minute in the log."""

import logging
from collections import Counter
from collections.abc import Sequence

from ingest.storing.allowance import UNREGISTERED, Allowance, Drop
from millpond.kernel.clock import monotonic

_LOG = logging.getLogger(__name__)
_TELL_EVERY_S = 60.0
_MOST_NAMED = 5


class DropWatch:
    """Counts dropped messages by allowance since the start, and by device since the log said it last."""

    def __init__(self) -> None:
        self.by_allowance: Counter[Allowance] = Counter()
        self._by_serial: Counter[str] = Counter()
        self._next_s = 0.0

    def count(self, drops: Sequence[Drop]) -> None:
        """These messages were dropped."""
        self.by_allowance.update(drop.allowance for drop in drops)
        self._by_serial.update(drop.serial for drop in drops)

    def tell_when_due(self) -> None:
        """Say who was over, at most once a minute."""
        if not self._by_serial or monotonic() < self._next_s:
            return
        self._next_s = monotonic() + _TELL_EVERY_S
        worst = ", ".join(f"{_name(serial)} {n:,}" for serial, n in self._by_serial.most_common(_MOST_NAMED))
        _LOG.warning(
            "%d messages of %d devices are dropped and not acknowledged, they are beyond their allowances: %s",
            self._by_serial.total(),
            len(self._by_serial),
            worst,
            extra={"event": "dropped", "messages": self._by_serial.total(), "devices": len(self._by_serial)},
        )
        self._by_serial.clear()


def _name(serial: str) -> str:
    return "unknown devices" if serial == UNREGISTERED else serial
