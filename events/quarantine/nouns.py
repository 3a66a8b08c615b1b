"""The words of the quarantine of events."""

from dataclasses import dataclass, field
from datetime import datetime

from events.nouns import SourceId


@dataclass(frozen=True, slots=True)
class Filter:
    """Which calls that were set aside: None leaves a question open; `replayed`: also those that were taken."""

    reason: str | None = None
    source: str | None = None
    name: str | None = None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    """A call that was not taken, and why. `raw` has up to 32 KB of its `size_bytes`."""

    quarantine_id: int
    source_id: SourceId
    source: str
    known_as: str
    call: str | None
    name: str
    reason: str
    detail: str
    raw: bytes = field(repr=False)
    size_bytes: int
    event: str | None = field(repr=False)
    first_at: datetime
    last_at: datetime
    times: int
    replayed_at: datetime | None


@dataclass(frozen=True, slots=True)
class SetAsideGroup:
    """What one source's events of one name were set aside for, and how many wait."""

    reason: str
    source: str
    name: str
    calls: int
    first_at: datetime
    last_at: datetime
    example: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """A name of which the plan says nothing: how many events of a source had it, and from when to when they came."""

    source: str
    name: str
    events: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of calls that were replayed: how many were taken, and how many are refused still."""

    taken: int = 0
    refused: int = 0
    last: int = 0

    def __add__(self, other: "Replayed") -> "Replayed":
        return Replayed(self.taken + other.taken, self.refused + other.refused, max(self.last, other.last))
