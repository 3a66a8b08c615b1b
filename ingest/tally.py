"""How many items came and what became of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tally:
    """Outcomes, counted in items: one a metric value, one a message or sample refused as a whole.

    `no_news` says how many of the duplicates were values of retained messages that cannot be told from older ones.
    """

    stored: int = 0
    duplicate: int = 0
    conflict: int = 0
    quarantined: int = 0
    no_news: int = 0

    @property
    def received(self) -> int:
        """Every item has exactly one outcome."""
        return self.stored + self.duplicate + self.conflict + self.quarantined

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.conflict + other.conflict,
            self.quarantined + other.quarantined,
            self.no_news + other.no_news,
        )
