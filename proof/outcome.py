"""How much a fault does, and what came of it."""

import os
from dataclasses import dataclass, field

from proof.oracle import Account

# The proof alone keeps two cores at a load of about 3.
_BUSY_LOAD_A_CPU = 2.0
_BUSY = "the machine was busy: time limits doubled"


@dataclass(frozen=True, slots=True)
class Size:
    """How much is done. `rate` is samples a second of all devices together."""

    devices: int = 200
    rate: float = 1000.0
    long: bool = False
    forgive_time: bool = False
    half_year: bool = False

    def times(self, short: int, long: int) -> int:
        """A number of repeats, or of seconds, by the form that runs."""
        return long if self.long else short


@dataclass(slots=True)
class Outcome:
    """What a fault did. `recovery_s`, `red_s` and `green_s` are the slowest of the run; `complaints` make it fail,
    `slow` says what took longer than it may, `skipped` why it could not be done here."""

    repeats: int = 0
    rate: float = 0.0
    account: Account = field(default_factory=Account)
    unacked: int = 0
    recovery_s: float | None = None
    red_s: float | None = None
    green_s: float | None = None
    rss_mb: float = 0.0
    skipped: str = ""
    notes: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)

    def recovered(self, seconds: float, most: float) -> None:
        """Note how long a recovery took, and complain when it took longer than it may."""
        self.recovery_s = max(self.recovery_s or 0.0, seconds)
        most = self._allow(most)
        if seconds > most:
            self.slow.append(f"the rate was back after {seconds:.1f} s, {most:g} s are allowed")

    def turned(self, colour: str, seconds: float, most: float = 5.0) -> None:
        """Note how long /readyz took to turn `red` or `green`, and complain when it took longer than it may."""
        name = f"{colour}_s"
        setattr(self, name, max(getattr(self, name) or 0.0, seconds))
        most = self._allow(most)
        if seconds > most:
            self.slow.append(f"/readyz turned {colour} after {seconds:.1f} s, {most:g} s are allowed")

    def _allow(self, seconds: float) -> float:
        """The limit, or twice as long on a machine that is busy with something else; then a note says so."""
        if os.getloadavg()[0] <= _BUSY_LOAD_A_CPU * (os.cpu_count() or 1):
            return seconds
        if _BUSY not in self.notes:
            self.notes.append(_BUSY)
        return 2 * seconds
