"""How far a fleet is, and what it did."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; `at` is the fleet's own time, `phase` is `history`, `live` or `acks`."""

    phase: str
    at: datetime
    samples: int
    messages_published: int
    acked: int


@dataclass(frozen=True, slots=True)
class FleetSummary:
    """What a run did. Counts of samples: measured, acknowledged, sent but unacknowledged, never sent, given up.

    `messages_published` counts telemetry and backfill messages, copies made by faults not included; `readings_unacked`
    the metric values that nobody said are safe, those given up among them. `items_quarantined`: values or whole
    messages that the platform acknowledged and refused, which should have become readings; None: not asked.
    """

    devices: int
    samples: int
    readings: int
    messages_published: int
    acked: int
    unacked: int
    unsent: int
    dropped: int
    seconds: float
    faults: dict[str, int]
    readings_unacked: int = 0
    items_quarantined: int | None = None

    @property
    def not_arrived(self) -> int:
        """What became no reading: not acknowledged, or in quarantine as far as the platform was asked."""
        return self.readings_unacked + (self.items_quarantined or 0)
