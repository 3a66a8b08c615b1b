"""A device profile: what a model's properties mean, as data. A user adds one without touching Python."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Annotated, Self

from pydantic import Field, model_validator

from catalogue.entries import SkuText
from devices.nouns import Meaning, Measure, MetricKind
from devices.speech import Name, Speaks
from millpond.kernel.language import Names
from millpond.kernel.yaml_file import Strict, read_yaml

ModelName = Annotated[str, Field(min_length=1, max_length=128)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")]

# What the models that ship are; a word of your own is shown as it is.
CATEGORIES = (
    "air_purifier",
    "humidifier",
    "pet_fountain",
    "plug",
    "printer",
    "refrigerator",
    "robot_vacuum",
    "sensor",
    "tv",
    "water_purifier",
)
_KIND_OF = {
    Measure.REPLACE_FLAG: MetricKind.BOOLEAN,
    Measure.STATE: MetricKind.STATE,
    Measure.IDENTITY: MetricKind.STATE,
}


class MetricProfile(Strict):
    """One metric: its kind, unit and range (numbers), or its states."""

    kind: MetricKind = MetricKind.NUMBER
    unit: str = ""
    min: float | None = None
    max: float | None = None
    states: list[str] | None = None


class LimitProfile(Strict):
    """How one metric speaks of the part; counts (`used`, `remaining`) need the capacity in the metric's unit.

    `most_per_day` is the most that a count can change in a day: what goes faster is a fault. Hours need none. `due` are
    the states in which the device asks for a new part.
    """

    metric: Name
    measure: Measure
    capacity: float | None = Field(default=None, gt=0)
    quantum: float = Field(default=1, gt=0)
    most_per_day: float | None = Field(default=None, gt=0)
    due: list[str] | None = Field(default=None, min_length=1)

    @model_validator(mode="after")
    def _has_what_its_measure_needs(self) -> Self:
        if self.measure in (Measure.USED, Measure.REMAINING) and self.capacity is None:
            raise ValueError(f"{self.metric} counts, so it needs a capacity")
        if (self.measure is Measure.STATE) != (self.due is not None):
            raise ValueError(
                f"{self.metric}: due says in which states a part is to be replaced, of a state and no other"
            )
        return self


class PartProfile(Strict):
    """A place for a consumable: which one, when it is due, what limits it, and its typical life."""

    part: Name
    consumable: Slug
    threshold_pct: float = Field(default=10, gt=0, lt=100)
    prior_life_days: float = Field(gt=0)
    limits: list[LimitProfile] = Field(min_length=1)


class ProfileDraft(Strict):
    """A device profile of which each part is right, and perhaps not all of them together."""

    model: Slug
    name: Names
    category: Name
    sku: SkuText | None = None
    also: list[ModelName] = Field(default_factory=list)
    metrics: dict[Name, MetricProfile]
    parts: list[PartProfile] = Field(default_factory=list)
    speaks: Speaks = Field(default_factory=dict)


Mismatch = tuple[tuple[str | int, ...], str]


def find_mismatches(draft: ProfileDraft) -> Iterator[Mismatch]:
    """Where one part of a profile names what another does not have: the place, and what is wrong there."""
    for number, part in enumerate(draft.parts):
        for index, limit in enumerate(part.limits):
            place, metric = ("parts", number, "limits", index), draft.metrics.get(limit.metric)
            if metric is None:
                yield (*place, "metric"), f"{draft.model} has no metric {limit.metric}"
            elif why := _find_misfit(limit, metric):
                yield place, why
    for language, properties in draft.speaks.items():
        for said, spoken in properties.items():
            if spoken.metric not in draft.metrics:
                yield ("speaks", language, said), f"{draft.model} has no metric {spoken.metric}"
            elif why := spoken.find_misfit(draft.metrics[spoken.metric].unit):
                yield ("speaks", language, said), why


def _find_misfit(limit: LimitProfile, metric: MetricProfile) -> str | None:
    """Why this metric cannot speak of a part in this way."""
    kind = _KIND_OF.get(limit.measure, MetricKind.NUMBER)
    if metric.kind is not kind:
        return f"{limit.metric} is a {metric.kind}, and a {limit.measure} is a {kind}"
    if metric.states is not None and (strange := set(limit.due or ()) - set(metric.states)):
        return f"{limit.metric} is never {', '.join(sorted(strange))}"
    return None


class DeviceProfile(ProfileDraft):
    """One device model. `also` is what languages call it: a hub's or a maker's name for it."""

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        for place, why in find_mismatches(self):
            raise ValueError(f"{'.'.join(map(str, place))}: {why}")
        return self

    def meanings(self, format_name: str) -> dict[str, Meaning]:
        """What each property means in a language, empty in one that the model does not speak."""
        return {
            said: spoken.to_meaning(self.metrics[spoken.metric].unit)
            for said, spoken in self.speaks.get(format_name, {}).items()
        }


class ConsumableEntry(Strict):
    """A consumable and the product it is sold as."""

    consumable: Slug
    name: Names
    sku: SkuText


class Consumables(Strict):
    """What is used up in devices, as a file has it."""

    consumables: list[ConsumableEntry]


@cache
def shipped_profiles() -> dict[str, DeviceProfile]:
    """The profiles that come with Millpond, by model."""
    folder = files("devices") / "profiles"
    texts = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir() if path.name.endswith(".yaml")}
    profiles = [read_yaml(DeviceProfile, text, name) for name, text in sorted(texts.items())]
    return {profile.model: profile for profile in profiles}


@cache
def shipped_consumables() -> tuple[ConsumableEntry, ...]:
    """The consumables that come with Millpond."""
    text = (files("devices") / "consumables.yaml").read_text(encoding="utf-8")
    return tuple(read_yaml(Consumables, text, "consumables.yaml").consumables)
