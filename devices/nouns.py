"""The nouns that other packages share: what a device is, what is in it, and what it said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from millpond.kernel.ids import CustomerId, DeviceId, InstallationId, MetricId, Serial, Sku


class MetricKind(StrEnum):
    """What a metric's values are."""

    NUMBER = "number"
    BOOLEAN = "boolean"
    STATE = "state"


class Measure(StrEnum):
    """How a metric speaks of a part, whatever the maker calls it. `identity` is a cartridge's own id."""

    PERCENT_REMAINING = "percent_remaining"
    PERCENT_USED = "percent_used"
    REMAINING = "remaining"
    USED = "used"
    REPLACE_FLAG = "replace_flag"
    STATE = "state"
    IDENTITY = "identity"


class EndedBy(StrEnum):
    """What told us that a part was replaced; `undone` when it was not, and this one was never put in."""

    PERCENT_RISE = "percent_rise"
    COUNTER_FALL = "counter_fall"
    IDENTITY_CHANGE = "identity_change"
    REPLACED_EVENT = "replaced_event"
    UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Metric:
    """One thing a model measures, in one fixed unit. The range is inclusive; None is unbounded."""

    metric_id: MetricId
    model: str
    name: str
    kind: MetricKind
    unit: str
    min_value: float | None
    max_value: float | None
    states: list[str] | None


@dataclass(frozen=True, slots=True)
class Meaning:
    """Which metric a property of a model is, and how its raw value comes to be the metric's.

    One of `none` says that there is no value; `values` says what others stand for; a number is multiplied by `scale`,
    and `offset` is added: then it is in the metric's unit. The raw number is in `unit` but for the profile's scale.
    """

    metric: str
    scale: float = 1.0
    offset: float = 0.0
    none: tuple[str, ...] = ()
    values: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    unit: str = ""

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "Meaning":
        """As it was before the database kept it."""
        return cls(**{**kept, "none": tuple(kept["none"])})


@dataclass(frozen=True, slots=True)
class Device:
    """One unit. `customer_id` is None while nobody owns it."""

    device_id: DeviceId
    serial: Serial
    model: str
    region: str
    customer_id: CustomerId | None
    installed_at: datetime
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Ownership:
    """A customer owned a device in [owned_from, owned_until); None is until now. `granted_by` made them the owner."""

    customer_id: CustomerId
    owned_from: datetime
    owned_until: datetime | None
    granted_by: str


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """What the device last said of itself: `online` or `offline`."""

    state: str
    session: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """One consumable in one device from `installed_at` until replaced; `ended_at` is None for the current one.

    `undone_because` is set on one that was never put in: `came_back` or `contradicted`.
    """

    installation_id: InstallationId
    device_id: DeviceId
    part: str
    consumable: str
    installed_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    undone_because: str | None = None


@dataclass(frozen=True, slots=True)
class CurrentPart:
    """An installation that is not ended yet, and from when its readings are read.

    `previous_id` is the one that it followed while that is looked at again, `read_from` then when that began; `settled`
    says whether a replacement is known at `read_from`.
    """

    installation_id: int
    device_id: int
    model: str
    part: str
    installed_at: datetime
    previous_id: int | None
    read_from: datetime
    settled: bool


@dataclass(frozen=True, slots=True)
class PartLimit:
    """One metric that speaks of a part. `capacity` is in the metric's `unit`; `quantum` is its smallest step.

    `most_per_day` is the most that a counter can count in a day; hours need none, since a day has 24. `due` are the
    states in which the device asks for a new part.
    """

    part: str
    metric_id: MetricId
    metric: str
    measure: Measure
    capacity: float | None
    quantum: float
    unit: str = ""
    most_per_day: float | None = None
    due: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModelPart:
    """A place for a consumable in a device model, with all that limits it (the first limit reached wins)."""

    model: str
    part: str
    consumable: str
    sku: Sku
    threshold_pct: float
    prior_life_days: float
    limits: tuple[PartLimit, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One metric value of one device. Exactly one of `value` and `state` is set; a boolean's value is 0 or 1."""

    device_id: DeviceId
    metric_id: MetricId
    measured_at: datetime
    value: float | None
    state: str | None
    received_at: datetime
    corrected: bool


@dataclass(frozen=True, slots=True)
class LatestValue:
    """The newest value of one metric of one device, by measured time."""

    metric: str
    unit: str
    measured_at: datetime
    value: float | None
    state: str | None
