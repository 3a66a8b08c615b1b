"""What tests read back."""

from dataclasses import dataclass, field
from datetime import datetime

from millpond.testing.protocol import PartLifeRow, ReadingRow


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one metric at a moment of the device's clock; a switch is a bool, a state is text.

    `corrected` says that the platform put the time of receipt in the place of one that cannot be; it is not compared.
    """

    metric: str
    at: datetime
    value: float | bool | str
    corrected: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that was refused. `item` is what of the message: empty for all of it, else `seq/metric`."""

    item: str
    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What became of everything that came in: `received` is the sum of the four others."""

    received: int
    stored: int
    duplicate: int
    conflict: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class PartLife:
    """The truth about one part of a simulated device: when it came, when it had 10 % left, when it was replaced.

    `threshold_at` and `replaced_at` are None when that does not happen as far as one looked.
    """

    part: str
    installed_at: datetime
    threshold_at: datetime | None
    replaced_at: datetime | None


def read_readings(rows: list[ReadingRow]) -> list[Reading]:
    """Readings from the platform's JSON."""
    return [
        Reading(row["metric"], datetime.fromisoformat(row["at"]), row["value"], row.get("corrected", False))
        for row in rows
    ]


def read_lives(rows: list[PartLifeRow]) -> list[PartLife]:
    """Lives of parts from the platform's JSON."""
    return [
        PartLife(
            row["part"],
            datetime.fromisoformat(row["installed_at"]),
            *map(_moment, (row["threshold_at"], row["replaced_at"])),
        )
        for row in rows
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
