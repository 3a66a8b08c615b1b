"""From guesses to a profile: metrics with ranges, parts with limits and capacities, and what a person must decide."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from devices.nouns import Measure, MetricKind
from devices.speech import write_raw
from devices.units import Step, find_unit, step_between
from ingest.formats.raw_value import read_number
from ingest.formats.vocabulary import vocabulary_of
from ingest.proposals.guessing import Guess, guess
from ingest.proposals.observing import Spoken
from ingest.proposals.words import find_part, is_passed_over

_RANGES = {"pct": (0, 100), "h": (0, 200_000), "d": (0, 10_000), "litres": (0, 1_000_000), "ug/m3": (0, 2_000)}
_RANGES |= {"c": (-40, 100), "ppm": (0, 10_000), "w": (0, 20_000), "v": (0, 1_000), "pages": (0, 10_000_000)}
_COUNTS = (Measure.USED, Measure.REMAINING)
_PERCENTAGES = (Measure.PERCENT_REMAINING, Measure.PERCENT_USED)
_DUE = re.compile("replace|exhaust|critical|empty|expire|change", re.IGNORECASE)
_STATES_MAX, _STATE_MAX = 12, 64
_QUANTUM_CHANGES = 3


@dataclass(frozen=True, slots=True)
class Limit:
    """How a metric speaks of a part; `decide` is what a person must look at."""

    metric: str
    measure: Measure
    capacity: float | None = None
    quantum: float = 1
    due: list[str] = field(default_factory=list)
    decide: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a device's profile could be: its guesses by the metric's name, the limits of each part, what is left out."""

    device: Spoken
    guesses: dict[str, Guess]
    parts: dict[str, list[Limit]]
    passed_over: list[str]


def propose(device: Spoken) -> Proposal:
    """A profile of what one device said."""
    vocabulary = vocabulary_of(device.format)
    made = [guess(vocabulary, one) for one in device.properties.values()]
    kept = [one for one in made if one.seen and one.measure != "product" and not _is_about_itself(one)]
    capacities = [one for one in kept if one.measure == "capacity"]
    metrics = _name([_in_hours(one) for one in kept if one.measure != "capacity"])
    names = {one.said for one in metrics.values()} | {one.said for one in capacities}
    left_out = [said for said in device.properties if said not in names]
    return Proposal(device, metrics, _find_parts(metrics, capacities), left_out)


def _is_about_itself(one: Guess) -> bool:
    return not one.part and not find_part(one.said) and is_passed_over(one.said)


def _in_hours(one: Guess) -> Guess:
    """Counters of seconds and minutes become hours, in which parts are told."""
    if one.measure in _COUNTS and find_unit(one.unit) in ("s", "min"):
        one.said_unit, one.unit = one.unit, "h"
    return one


def _name(guesses: Sequence[Guess]) -> dict[str, Guess]:
    """By the name of a metric, each another one; a number's says its unit."""
    named: dict[str, Guess] = {}
    for one in guesses:
        unit = re.sub(r"[^a-z0-9]", "", one.unit.lower())
        plain = one.metric if not unit or one.metric.endswith(f"_{unit}") else f"{one.metric[:50]}_{unit}"
        plain = plain.replace("_percent_remaining_pct", "_life_pct").replace("_percent_used_pct", "_used_pct")
        name, number = plain, 2
        while name in named:
            name, number = f"{plain[:58]}_{number}", number + 1
        named[name] = one
    return named


def _find_parts(metrics: Mapping[str, Guess], capacities: Sequence[Guess]) -> dict[str, list[Limit]]:
    parts: dict[str, list[Limit]] = {}
    for name, one in metrics.items():
        if one.part and (limit := _limit(name, one, metrics, capacities)) is not None:
            parts.setdefault(_slug(one.part), []).append(limit)
    return parts


def _limit(name: str, one: Guess, metrics: Mapping[str, Guess], capacities: Sequence[Guess]) -> Limit | None:
    if not isinstance(one.measure, Measure):
        return None
    if one.measure is Measure.STATE:
        due = [state for state in find_states(one) if _DUE.search(state)]
        return Limit(name, one.measure, due=due, decide="in which states is it to be replaced?") if due else None
    if one.measure in _COUNTS:
        capacity, decide = _capacity(one, metrics, capacities)
        return Limit(name, one.measure, capacity, _quantum(one), decide=decide)
    return Limit(name, one.measure, quantum=_quantum(one) if one.measure in _PERCENTAGES else 1)


def numbers_of(one: Guess) -> list[float]:
    """The values that were seen, in the metric's unit."""
    step = step_between(one.said_unit or one.unit, one.unit) or Step()
    read = (read_number(raw) for raw in one.seen)
    numbers = [n * one.scale + one.offset for n in read if isinstance(n, int | float) and not isinstance(n, bool)]
    return [n * step.scale + step.offset for n in numbers]


def find_states(one: Guess) -> list[str]:
    """The states that were seen or are known; none where there are too many to be a list."""
    seen = [write_raw(one.values.get(write_raw(raw), raw)) for raw in one.seen]
    states = list(dict.fromkeys([*map(write_raw, one.values.values()), *seen]))
    are_words = all(0 < len(state) <= _STATE_MAX and state.isprintable() for state in states)
    return states if len(states) <= _STATES_MAX and are_words else []


def find_range(one: Guess) -> tuple[float, float]:
    """What values can be, as far as that is known: more than was seen, so that nothing true is refused."""
    numbers = numbers_of(one) or [0.0]
    low, high = _RANGES.get(find_unit(one.unit) or "", (0, 10 ** max(2, math.ceil(math.log10(max(*numbers, 1))) + 1)))
    return min(low, _round(min(numbers), up=False)), max(high, _round(max(numbers), up=True))


def _capacity(one: Guess, metrics: Mapping[str, Guess], capacities: Sequence[Guess]) -> tuple[float, str]:
    """How much a new part has in the metric's unit, and what is to be decided about that."""
    for said in capacities:
        step = step_between(said.unit or one.said_unit or one.unit, one.unit)
        if said.part == one.part and step is not None and (numbers := numbers_of(said)) and numbers[-1] > 0:
            return numbers[-1] * step.scale, ""
    reckoned = list(_reckon(one, metrics))
    if reckoned:
        middle = sorted(reckoned)[len(reckoned) // 2]
        return _round(middle, up=True), f"how much has a new one? its percentage says about {middle:.4g}"
    most = max([*numbers_of(one), 1.0])
    return _round(most, up=True), "how much has a new one? this is only the most that was seen"


def _reckon(one: Guess, metrics: Mapping[str, Guess]) -> Iterator[float]:
    """The capacity by each value that came with a percentage of the same part."""
    for other in metrics.values():
        if other.part != one.part or other.measure not in _PERCENTAGES:
            continue
        for count, pct in zip(numbers_of(one), numbers_of(other), strict=False):
            is_same = (one.measure, other.measure) in (
                (Measure.USED, Measure.PERCENT_USED),
                (Measure.REMAINING, Measure.PERCENT_REMAINING),
            )
            share = (pct if is_same else 100 - pct) / 100
            if share > 0.05 and count > 0:
                yield count / share


def _quantum(one: Guess) -> float:
    """The smallest step that was seen, 1 where too few were."""
    numbers = numbers_of(one)
    steps = [abs(now - before) for before, now in pairwise(numbers) if now != before]
    smallest = min(steps, default=1.0)
    if len(steps) < _QUANTUM_CHANGES or (smallest > 1 and one.measure in _COUNTS):
        return 1
    return float(f"{smallest:.2g}")


def _round(number: float, *, up: bool) -> float:
    """To two digits; as it is where two digits are too small or too large for a number."""
    if not number or not math.isfinite(number):
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 1)
    if not unit:
        return number
    rounded = float(f"{(math.ceil if up else math.floor)(round(number / unit, 6)) * unit:.6g}")
    return rounded if math.isfinite(rounded) else number


def _slug(part: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", part.lower()).strip("_")
    return plain if plain[:1].isalpha() else f"part_{plain}"


def kind_words(one: Guess) -> dict[str, Any]:
    """What a profile says of the metric."""
    if one.kind is MetricKind.NUMBER:
        low, high = find_range(one)
        return {"unit": one.unit, "min": low, "max": high} if one.unit else {"min": low, "max": high}
    states = find_states(one) if one.kind is MetricKind.STATE and one.measure is not Measure.IDENTITY else []
    return {"kind": one.kind.value} | ({"states": states} if states else {})
