"""What makes us think of an offer: the typed facts of each trigger."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from devices.depletion import DepletionDates
from millpond.kernel.ids import CustomerId, Sku
from millpond.kernel.language import Names
from offers.nouns import Subject, Trigger


@dataclass(frozen=True, slots=True)
class DeviceInUse:
    """A device, and since when the household has had it."""

    serial: str
    names: Names
    installed_at: datetime


@dataclass(frozen=True, slots=True)
class PartForecast:
    """The newest forecast of an installation: three dates, or a reason why there are none."""

    at: datetime
    method: str
    reason: str | None
    reason_code: str | None
    remaining_pct: float | None
    threshold_pct: float
    dates: DepletionDates | None


@dataclass(frozen=True, slots=True)
class WornPart:
    """The trigger `depletion`: a part in use, and when it will be used up."""

    device: DeviceInUse
    part_names: Names
    forecast: PartForecast


@dataclass(frozen=True, slots=True)
class NewDevice:
    """The trigger `new_device`: a device that is new in its household, and an edge of the graph from it."""

    device: DeviceInUse
    relation: str
    evidence: str
    condition: str | None


Cause = WornPart | NewDevice


@dataclass(frozen=True, slots=True)
class Candidate:
    """A product that a household may need, what the offer would be about, and what made us think of it."""

    customer_id: CustomerId | None
    subject: Subject
    sku: Sku
    cause: Cause

    @property
    def trigger(self) -> Trigger:
        """The trigger whose facts the cause is."""
        match self.cause:
            case WornPart():
                return Trigger.DEPLETION
            case NewDevice():
                return Trigger.NEW_DEVICE
            case _:
                assert_never(self.cause)
