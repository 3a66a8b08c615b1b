"""What is wrong with a profile, and what is probably not meant so: a sentence each, with the line."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from devices.nouns import MetricKind
from devices.parts.limits import COUNTS, PERCENTAGES
from devices.profile import CATEGORIES, PartProfile, ProfileDraft, find_mismatches
from devices.units import find_unit
from millpond.kernel.language import LANGUAGES
from millpond.kernel.yaml_file import find_line, load_yaml

Place = tuple[str | int, ...]
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Remark:
    """One sentence about one place. With a fault the profile cannot be used; else it can, and should be looked at."""

    line: int
    place: str
    sentence: str
    is_fault: bool


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a profile may name: consumables, and the languages by name, each with what it can say of any device."""

    consumables: Collection[str]
    languages: Collection[str]


def check_profile(text: str, where: str, known: Surroundings) -> list[Remark]:
    """All that is to be said of the text of a profile, faults first. InvalidInput when it is no YAML."""
    content = load_yaml(text, where)
    try:
        draft = ProfileDraft.model_validate(content)
    except ValidationError as error:
        return [_remark(text, *_fault(one), is_fault=True) for one in error.errors(include_url=False)]
    if faults := list(find_mismatches(draft)):
        return [_remark(text, place, why, is_fault=True) for place, why in faults]
    return [_remark(text, place, why, is_fault=False) for place, why in _find_oddities(draft, known)]


def _fault(error: Mapping[str, Any]) -> tuple[Place, str]:
    place = tuple(step for step in error["loc"] if step != "[key]")
    match error["type"]:
        case "extra_forbidden":
            return place, f"there is no such key as {place[-1]}"
        case "missing":
            return place, f"{place[-1]} is missing"
        case "string_type" if error["loc"][-1:] == ("[key]",):
            return place, f"{place[-1]} is taken for a number or a date: put it in quotes"
        case _:
            return place, str(error["msg"]).removeprefix("Value error, ")


def _remark(text: str, place: Place, sentence: str, *, is_fault: bool) -> Remark:
    return Remark(find_line(text, place), ".".join(map(str, place)), sentence, is_fault)


def _find_oddities(draft: ProfileDraft, known: Surroundings) -> Iterator[tuple[Place, str]]:
    if missing := [language for language in LANGUAGES if language not in draft.name]:
        yield ("name",), f"{draft.model} has no name in {', '.join(missing)}: there it is shown in English"
    if draft.category not in CATEGORIES:
        yield ("category",), f"{draft.category} is none of {', '.join(CATEGORIES)}: it has no picture on the pages"
    yield from _odd_metrics(draft)
    for number, part in enumerate(draft.parts):
        for why in _odd_part(part, draft, known):
            yield ("parts", number), why
    for language in draft.speaks:
        if language not in known.languages:
            yield ("speaks", language), f"{language} is none of the languages {', '.join(known.languages)}"
    yield from _unsaid(draft)


def _odd_metrics(draft: ProfileDraft) -> Iterator[tuple[Place, str]]:
    for name, metric in draft.metrics.items():
        if metric.kind is not MetricKind.NUMBER:
            continue
        if not metric.unit:
            yield ("metrics", name), f"{name} is a number without a unit"
        elif find_unit(metric.unit) is None:
            yield ("metrics", name), f"{metric.unit} is no known unit: it is shown as it is, and converted to nothing"
        if metric.min is None or metric.max is None:
            yield ("metrics", name), f"{name} has no range: a value that cannot be is stored like any other"


def _odd_part(part: PartProfile, draft: ProfileDraft, known: Surroundings) -> Iterator[str]:
    if part.consumable not in known.consumables:
        yield f"no consumable is called {part.consumable}: add it to consumables.yaml, with its product"
    if not any(limit.measure in COUNTS + PERCENTAGES for limit in part.limits):
        yield f"nothing says how much is left of {part.part}: it is forecast by its typical life alone"
    counts = [limit for limit in part.limits if limit.measure in COUNTS]
    for limit in counts if len(counts) == 1 else ():
        hours, most = find_unit(draft.metrics[limit.metric].unit) == "h", limit.most_per_day or _HOURS_A_DAY
        if hours and limit.capacity and limit.capacity > part.prior_life_days * most:
            yield f"{limit.capacity:g} hours cannot be used up in {part.prior_life_days:g} days"


def _unsaid(draft: ProfileDraft) -> Iterator[tuple[Place, str]]:
    said = {spoken.metric for properties in draft.speaks.values() for spoken in properties.values()}
    for name in draft.metrics if draft.speaks else ():
        if name not in said:
            yield ("metrics", name), f"no language says {name}: it only comes in our own"
