"""Ways to read a message without a database: by a model's profile, or as its language itself says.

The language itself is a profile that is made up for the message: a metric for each property that its vocabulary knows.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from devices.nouns import Measure, MetricKind
from devices.profile import DeviceProfile, MetricProfile, PartProfile
from devices.speech import PROPERTY_MAX, SpokenProperty
from devices.units import step_between
from ingest.formats.format import Format
from ingest.formats.saying import Saying
from ingest.formats.vocabulary import Entry, Said, find_entry, kind_of, metric_name, read_by, vocabulary_of

LANGUAGE = "language"
_PERCENTAGES = (Measure.PERCENT_REMAINING, Measure.PERCENT_USED)
_NOT_NEGATIVE = (Measure.USED, Measure.REMAINING, "capacity")


@dataclass(frozen=True, slots=True)
class OfPart:
    """How a metric speaks of a part. A count's `capacity` is in the metric's unit, None where nothing says it."""

    part: str
    measure: Said
    capacity: float | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    """What a property is on the models that a message is probably of, where the language itself is unsure."""

    part: str
    measure: Said | None
    unit: str


@dataclass(frozen=True, slots=True)
class Lens:
    """A profile to read by, and what its metrics say of parts. `is_model` unless it is the language itself.

    `unsure` has metric and property of each value of which only a model says what it is.
    """

    profile: DeviceProfile
    parts: Mapping[str, OfPart] = field(default_factory=dict)
    is_model: bool = True
    unsure: frozenset[tuple[str, str]] = frozenset()


def lens_of(profile: DeviceProfile) -> Lens:
    """A model's own profile."""
    return Lens(profile, {metric: one for part in profile.parts for metric, one in _limits(part)})


def _limits(part: PartProfile) -> Iterator[tuple[str, OfPart]]:
    return ((limit.metric, OfPart(part.part, limit.measure, limit.capacity)) for limit in part.limits)


def language_lens(one: Format, sayings: Sequence[Saying], hints: Mapping[str, Hint] | None = None) -> Lens:
    """What the language itself says of what was said, and of the properties in `hints` what these say."""
    vocabulary = vocabulary_of(one)
    values = {said: raw for saying in sayings for said, raw in saying.values.items()}
    could_be = (said for said in values if 0 < len(said) <= PROPERTY_MAX)
    found = {said: entry for said in could_be if (entry := find_entry(vocabulary, said)) is not None}
    found |= {said: found[said].model_copy(update=asdict(hint)) for said, hint in (hints or {}).items()}
    known = _once(found, values)
    names = _name(known)
    profile = DeviceProfile(
        model=LANGUAGE,
        name=dict.fromkeys(("en", "ko", "zh"), one.name),
        category=LANGUAGE,
        metrics={names[said]: _metric(entry, values[said]) for said, entry in known.items()},
        speaks={one.language: {said: _spoken(entry, names[said]) for said, entry in known.items()}},
    )
    capacities = _capacities(known, values)
    parts = {names[said]: of for said, of in _parts(known, capacities)}
    unsure = frozenset((names[said], said) for said, entry in known.items() if entry.by_model)
    return Lens(profile, parts, is_model=False, unsure=unsure)


def _once(found: Mapping[str, Entry], values: Mapping[str, Any]) -> dict[str, Entry]:
    """Without what another property said before: the same of a part, with the same value. What only a model knows
    is left out where the language itself knows another that says it."""
    sure = {(entry.part, entry.measure) for entry in found.values() if not entry.by_model}
    said_of_parts: set[tuple[Any, ...]] = set()
    known: dict[str, Entry] = {}
    for said, entry in found.items():
        key = (entry.part, entry.metric, entry.measure, entry.unit, repr(values[said]))
        if entry.by_model and (entry.part, entry.measure) in sure:
            continue
        if not entry.part or key not in said_of_parts:
            known[said] = entry
            said_of_parts.add(key)
    return known


def _name(known: Mapping[str, Entry]) -> dict[str, str]:
    """A metric's name for each property, no two the same."""
    names: dict[str, str] = {}
    for said, entry in known.items():
        plain, number = metric_name(entry, said), 1
        name = plain
        while name in names.values():
            number += 1
            name = f"{plain[:58]}_{number}"
        names[said] = name
    return names


def _metric(entry: Entry, raw: Any) -> MetricProfile:
    if entry.measure in _PERCENTAGES:
        return MetricProfile(unit="pct", min=0, max=100)
    least = 0 if entry.measure in _NOT_NEGATIVE else None
    kind = kind_of(entry, raw)
    return MetricProfile(kind=kind, unit=entry.unit if kind is MetricKind.NUMBER else "", min=least)


def _spoken(entry: Entry, metric: str) -> SpokenProperty:
    return SpokenProperty(metric=metric, none=entry.none, values=entry.values, scale=entry.scale, offset=entry.offset)


def _parts(known: Mapping[str, Entry], capacities: Mapping[str, tuple[Entry, float]]) -> Iterator[tuple[str, OfPart]]:
    for said, entry in known.items():
        if entry.part and entry.measure is not None:
            yield said, OfPart(entry.part, entry.measure, _capacity(said, entry, capacities))


def _capacities(known: Mapping[str, Entry], values: Mapping[str, Any]) -> dict[str, tuple[Entry, float]]:
    """By property what a part has when it is new, as the message itself says it."""
    read = {said: read_by(entry, values[said]) for said, entry in known.items() if entry.measure == "capacity"}
    return {said: (known[said], float(value)) for said, value in read.items() if isinstance(value, int | float)}


def _capacity(said: str, entry: Entry, capacities: Mapping[str, tuple[Entry, float]]) -> float | None:
    """Of several of the same part the one that stands beside it: a page may have two filters."""
    if entry.measure not in (Measure.USED, Measure.REMAINING):
        return None
    for name in sorted(capacities, key=lambda name: name.rpartition(".")[0] != said.rpartition(".")[0]):
        full, capacity = capacities[name]
        step = step_between(full.unit, entry.unit)
        if full.part == entry.part and step is not None:
            return capacity * step.scale
    return entry.capacity
