"""What a property probably is: by its language's vocabulary, else by its name, its values and how they go over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from devices.nouns import Measure, MetricKind
from devices.speech import write_raw
from ingest.formats.raw_value import TRUTHS, read_number
from ingest.formats.vocabulary import Entry, Said, find_entry, kind_of, metric_name
from ingest.proposals.observing import Observed
from ingest.proposals.words import find_measure, find_part, find_unit_in

_MEANS_NOTHING = {"", "inv", "none", "null", "unknown", "unavailable", "n/a", "--"}
_TOO_MUCH = (255.0, 32_767.0, 65_535.0, 2_147_483_647.0, 4_294_967_295.0)
_PAIRS = (("unlock", "lock"), ("no", "yes"), ("closed", "open"), ("normal", "replace"), ("disabled", "enabled"))
_CHANGES_MIN = 3
_UNIT_BY_RATE = {"h": 1.0, "min": 60.0, "s": 3_600.0}
_NUMBERS = {Measure.PERCENT_REMAINING, Measure.PERCENT_USED, Measure.USED, Measure.REMAINING, "capacity"}


@dataclass(slots=True)
class Guess:
    """What a property probably is. `why` is what speaks for it; `decide` is what a person must look at.

    `said_unit` is the unit in which it is said where that is another than the metric's `unit`.
    """

    said: str
    metric: str
    kind: MetricKind
    unit: str = ""
    said_unit: str = ""
    part: str = ""
    measure: Said | None = None
    none: list[str] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)
    scale: float = 1.0
    offset: float = 0.0
    seen: list[Any] = field(default_factory=list)
    why: str = ""
    decide: list[str] = field(default_factory=list)


def guess(vocabulary: Mapping[str, Entry], observed: Observed) -> Guess:
    """What a property probably is."""
    entry = find_entry(vocabulary, observed.said)
    none = list(entry.none) if entry is not None and entry.none else _find_nothing(observed.values)
    kept = [(at, raw) for at, raw in zip(observed.at, observed.values, strict=True) if write_raw(raw) not in none]
    made = _by_entry(entry, observed.said, kept) if entry is not None else _by_looks(observed.said, kept)
    made.none, made.seen = [raw for raw in none if entry is None or raw in entry.none], [raw for _, raw in kept]
    return made


def _by_entry(entry: Entry, said: str, kept: Sequence[tuple[datetime, Any]]) -> Guess:
    kind = kind_of(entry, kept[-1][1] if kept else "")
    one = Guess(said, metric_name(entry, said), kind, entry.unit, why="its language says so")
    one.part, one.measure = entry.part, entry.measure
    one.values, one.scale, one.offset = dict(entry.values), entry.scale, entry.offset
    if not entry.unit and kind is MetricKind.NUMBER and (unit := find_unit_in(said)):
        one.unit = unit
        one.decide.append(f"is it in {unit}?")
    return one


def _by_looks(said: str, kept: Sequence[tuple[datetime, Any]]) -> Guess:
    raws = [raw for _, raw in kept]
    numbers = [read_number(raw) for raw in raws]
    texts = {write_raw(raw).strip().lower() for raw in raws}
    plain = metric_name(Entry(), said)
    if (raws and all(isinstance(raw, bool) for raw in raws)) or (texts <= TRUTHS.keys() and len(texts) == 2):
        return _as_boolean(Guess(said, plain, MetricKind.BOOLEAN))
    if raws and all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        return _as_number(Guess(said, plain, MetricKind.NUMBER), [at for at, _ in kept], numbers)
    for off, on in _PAIRS:
        if texts and texts <= {off, on}:
            values = {word: word.lower() == on for word in dict.fromkeys(map(str, raws))}
            one = _as_boolean(Guess(said, plain, MetricKind.BOOLEAN, values=values))
            one.decide.append("is this what is true, and what is false?")
            return one
    return _as_state(Guess(said, plain, MetricKind.STATE))


def _as_boolean(one: Guess) -> Guess:
    part = find_part(one.said)
    if part and find_measure(one.said) is Measure.REPLACE_FLAG:
        one.part, one.measure, one.why = part, Measure.REPLACE_FLAG, "its name asks for a new one"
    return one


def _as_state(one: Guess) -> Guess:
    part = find_part(one.said)
    if part and find_measure(one.said) is Measure.IDENTITY:
        one.part, one.measure, one.why = part, Measure.IDENTITY, "its name is that of a cartridge's id"
    return one


def _as_number(one: Guess, at: Sequence[datetime], numbers: Sequence[float]) -> Guess:
    one.part, one.unit = find_part(one.said), find_unit_in(one.said)
    going, measure = _find_way(numbers), find_measure(one.said) if one.part else None
    within = min(numbers) >= 0 and max(numbers) <= 100
    if measure in (Measure.PERCENT_REMAINING, Measure.PERCENT_USED) and not within:
        measure = Measure.REMAINING if going < 0 else Measure.USED
    if measure is Measure.PERCENT_REMAINING and going > 0:
        measure = Measure.PERCENT_USED
    if measure is None and one.part and going:
        measure = _by_way(going, within=within)
        one.why = "it falls little by little" if going < 0 else "it rises little by little"
        one.decide.append("is it about this part?")
    one.measure = measure if measure in _NUMBERS else None
    one.why = one.why or ("its name says so" if one.measure else "")
    return _with_unit(one, at, numbers)


def _by_way(going: int, *, within: bool) -> Measure:
    if within:
        return Measure.PERCENT_REMAINING if going < 0 else Measure.PERCENT_USED
    return Measure.REMAINING if going < 0 else Measure.USED


def _with_unit(one: Guess, at: Sequence[datetime], numbers: Sequence[float]) -> Guess:
    if one.measure in (Measure.PERCENT_REMAINING, Measure.PERCENT_USED):
        one.unit = "pct"
    elif one.measure in (Measure.USED, Measure.REMAINING):
        unit = _unit_by_rate(at, numbers)
        if not one.unit:
            one.unit = unit or "h"
            one.decide.append(f"in which unit is it? {one.unit} is a guess{' by how fast it goes' if unit else ''}")
    elif not one.unit:
        one.decide.append("in which unit is it?")
    return one


def _find_way(numbers: Sequence[float]) -> int:
    """-1 when the values fall but for single jumps, 1 when they rise, 0 when they do neither or hardly change."""
    steps = [now - before for before, now in pairwise(numbers) if now != before]
    falls = sum(step < 0 for step in steps)
    rises = len(steps) - falls
    if len(steps) < _CHANGES_MIN or min(falls, rises) > len(steps) / 10:
        return 0
    return -1 if falls > rises else 1


def _unit_by_rate(at: Sequence[datetime], numbers: Sequence[float]) -> str | None:
    """The unit of a clock that goes as fast as the fastest of this counter's changes: no part runs faster than time."""
    rates = [abs(now - before) / hours for before, now, hours in _changes(at, numbers) if hours > 0]
    if len(rates) < _CHANGES_MIN:
        return None
    fastest = sorted(rates)[len(rates) * 9 // 10]
    return next((unit for unit, most in _UNIT_BY_RATE.items() if most / 10 < fastest <= most * 1.5), None)


def _changes(at: Sequence[datetime], numbers: Sequence[float]) -> Sequence[tuple[float, float, float]]:
    pairs = zip(at, at[1:], numbers, numbers[1:], strict=False)
    return [(b, n, (t - s).total_seconds() / 3_600) for s, t, b, n in pairs if n != b]


def _find_nothing(raws: Sequence[Any]) -> list[str]:
    """Raw values that probably mean that there is none: words, and numbers of all bits beside much smaller ones."""
    said = list(dict.fromkeys(map(write_raw, raws)))
    numbers = {text: read_number(text) for text in said}
    real = [n for n in numbers.values() if isinstance(n, int | float) and n not in _TOO_MUCH and n != -1]
    nothing = [text for text in said if real and text.strip().lower() in _MEANS_NOTHING]
    least = max(real, default=0.0) * 2
    nothing += [text for text, n in numbers.items() if real and n in _TOO_MUCH and isinstance(n, float) and n > least]
    return nothing + [text for text, n in numbers.items() if real and n == -1 and min(real) >= 0]
