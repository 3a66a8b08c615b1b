"""What a language's well-known properties are, whatever the model: for guesses where no profile says it.

It lies as `vocabulary.yaml` beside the module of the language, the property first, where `*` is any part of a name:

    hflr: {part: hepa, measure: percent_remaining, none: [INV]}
    "ConsumableMonitoringCapability.*": {part: "*", measure: remaining, unit: s}
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import Field, RootModel

from devices.nouns import Meaning, Measure, Metric, MetricKind
from devices.speech import Property, Raw
from ingest.formats.everyday import read_name
from ingest.formats.format import Format
from ingest.formats.raw_value import has_value, read_raw
from millpond.kernel.ids import MetricId
from millpond.kernel.yaml_file import read_yaml

_FILE = "vocabulary.yaml"
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")
_WORDS = {Measure.STATE, Measure.IDENTITY, "product"}

# How a property speaks of a part: besides the measures its `capacity` when it is new, the number of a `product` that
# fits, and whether there is one `in_place`.
Said = Measure | Literal["capacity", "product", "in_place"]


class Entry(Raw):
    """What a property is. In `part` and `metric`, `*` is what the property's own first `*` stood for.

    `capacity` is how much there is of a part when it is new, in `unit`, where all devices have the same. Of what is
    `by_model` only a model says the unit, and what stands here is the commonest. What is `everyday` is what the
    words of its name say, if they say anything of a part.
    """

    metric: str = ""
    part: str = ""
    measure: Said | None = None
    capacity: float | None = Field(default=None, gt=0)
    by_model: bool = False
    everyday: bool = False


class Vocabulary(RootModel[dict[Property, Entry]]):
    """Every well-known property of a language; of two that match the first counts."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a value probably is. `unit` is empty where the language does not say it, or it has none."""

    said: str
    metric: str
    part: str
    measure: Said | None
    unit: str
    value: float | bool | str


@cache
def load_vocabulary(home: str) -> Mapping[str, Entry]:
    """The vocabulary beside a module, empty where there is none. InvalidInput names the file and the place."""
    spec = find_spec(home) if home else None
    if spec is None or not spec.parent:
        return {}
    file = files(spec.parent) / _FILE
    where = f"{spec.parent.replace('.', '/')}/{_FILE}"
    return read_yaml(Vocabulary, file.read_text(encoding="utf-8"), where).root if file.is_file() else {}


def vocabulary_of(one: Format) -> Mapping[str, Entry]:
    """The vocabulary of a format's language."""
    return load_vocabulary(one.home)


def find_entry(vocabulary: Mapping[str, Entry], said: str) -> Entry | None:
    """What the vocabulary has for a property, with its `*` filled in."""
    exact = vocabulary.get(said)
    if exact is not None:
        return exact
    for glob, entry in vocabulary.items():
        if "*" in glob and (match := _pattern(glob).fullmatch(said)):
            if entry.everyday:
                if spoken := read_name(said):
                    return Entry(part=spoken.part, measure=spoken.measure, unit=spoken.unit, everyday=True)
                continue
            part, metric = (text.replace("*", match[1]) for text in (entry.part, entry.metric))
            return entry.model_copy(update={"part": part, "metric": metric})
    return None


def guess(vocabulary: Mapping[str, Entry], values: Mapping[str, Any]) -> Iterator[Guess]:
    """What each value probably is, of those that the vocabulary knows and that have one."""
    for said, raw in values.items():
        entry = find_entry(vocabulary, said)
        if entry is None:
            continue
        value = read_by(entry, raw)
        if value is not None:
            yield Guess(said, metric_name(entry, said), entry.part, entry.measure, entry.unit, value)


def read_by(entry: Entry, raw: Any) -> Any:
    """A raw value by what the vocabulary says of it; None when there is none."""
    meaning = Meaning("", entry.scale, entry.offset, tuple(entry.none), entry.values, entry.unit)
    if not has_value(meaning, raw):
        return None
    return read_raw(meaning, Metric(MetricId(0), "", "", kind_of(entry, raw), entry.unit, None, None, None), raw)


def metric_name(entry: Entry, said: str) -> str:
    """What a metric of this property would be called."""
    name = entry.metric or (f"{entry.part}_{entry.measure}" if entry.part and entry.measure else said)
    plain = _NOT_IN_A_NAME.sub("_", name.lower()).strip("_")
    return (plain if plain[:1].isalpha() else f"m_{plain}")[:63]


def kind_of(entry: Entry, raw: Any) -> MetricKind:
    """What a metric of this property would be, by what is known of it and by a value of it."""
    is_of_truths = bool(entry.values) and all(isinstance(value, bool) for value in entry.values.values())
    if entry.measure in (Measure.REPLACE_FLAG, "in_place") or is_of_truths or isinstance(raw, bool):
        return MetricKind.BOOLEAN
    if entry.measure in _WORDS or (entry.measure is None and not entry.unit and isinstance(raw, str)):
        return MetricKind.STATE
    return MetricKind.NUMBER


@cache
def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(re.escape(glob).replace(r"\*", "(.*)"), re.DOTALL)
