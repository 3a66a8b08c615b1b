"""How `millpond decode` reads a message: by the model that is named, that it names itself, or as its language says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import structs

from devices.profile import DeviceProfile
from ingest.formats.dry_run import make_registry
from ingest.formats.format import Format, decode_as, identities_of
from ingest.formats.lens import Hint, Lens, language_lens, lens_of
from ingest.formats.raw_value import read_number
from ingest.formats.saying import Saying
from ingest.formats.vocabulary import find_entry, vocabulary_of
from ingest.nouns import Decoded, Delivery, Limits, Registry


@dataclass(frozen=True, slots=True)
class Read:
    """What a message became, by which lens, and what it said before anybody asked what that means.

    `guessed` says that nobody named the model, and the message did not either.
    """

    format: Format
    lens: Lens
    registry: Registry
    results: Sequence[Decoded]
    sayings: Sequence[Saying] = ()
    guessed: bool = False

    @property
    def readings(self) -> int:
        """How many readings it became."""
        return sum(len(decoded.readings) for decoded in self.results)


def read_message(
    one: Format, delivery: Delivery, limits: Limits, profiles: Mapping[str, DeviceProfile], model: str | None
) -> Read:
    """The message in a format, by the profile of `model`; without one by what fits best."""
    if one.parse is None:
        return _read_ours(one, delivery, limits, [profiles[model]] if model else list(profiles.values()))
    delivery = _with_what_it_describes(one, delivery)
    sayings = _say(one, delivery)
    named = model or _named_by(sayings, profiles)
    if named is not None and one.language in profiles[named].speaks:
        return _read(one, delivery, limits, lens_of(profiles[named]), sayings)
    language = language_lens(one, sayings)
    by_language = _read(one, delivery, limits, language, sayings)
    if named is not None or (language.parts and not language.unsure):
        return by_language
    able = [lens_of(profile) for profile in profiles.values() if one.language in profile.speaks]
    fitting = [read for lens in able if (read := _read(one, delivery, limits, lens, sayings, guessed=True)).readings]
    best = max(fitting, key=_fit, default=by_language)
    hints = _find_hints(one, language, [read.lens for read in fitting if _likeness(read) == _likeness(best)], sayings)
    if hints:
        by_language = _read(one, delivery, limits, language_lens(one, sayings, hints), sayings)
    knows_little = language.parts.keys() <= {metric for metric, _ in language.unsure}
    return best if knows_little and best.readings > by_language.readings else by_language


def _find_hints(one: Format, language: Lens, models: Sequence[Lens], sayings: Sequence[Saying]) -> dict[str, Hint]:
    """What the models that fit best all say of the properties of which the language is unsure.

    Where they do not agree, several numbers that are all at most 100 are percentages.
    """
    said = {said: {_hint(one, lens, said) for lens in models} for _, said in language.unsure}
    if _are_percentages([saying.values[name] for saying in sayings for name in said if name in saying.values]):
        for name, hints in said.items():
            said[name] = {hint for hint in hints if hint is not None and hint.unit == "pct"} or hints
    return {name: hint for name, hints in said.items() for hint in hints if len(hints) == 1 and hint is not None}


def _are_percentages(raws: Sequence[Any]) -> bool:
    numbers = [read_number(raw) for raw in raws]
    return len(raws) > 1 and all(isinstance(one, int | float) and 0 <= one <= 100 for one in numbers)


def _hint(one: Format, lens: Lens, said: str) -> Hint | None:
    spoken = lens.profile.speaks[one.language].get(said)
    entry = find_entry(vocabulary_of(one), said)
    if spoken is None or entry is None or (spoken.scale, spoken.offset) != (1, 0):
        return None
    # A metric that limits no part of the model is of what the language itself says.
    of = lens.parts.get(spoken.metric, entry)
    return Hint(of.part, of.measure, spoken.unit or lens.profile.metrics[spoken.metric].unit)


def _named_by(sayings: Sequence[Saying], profiles: Mapping[str, DeviceProfile]) -> str | None:
    """The model that the message itself names."""
    called = {name.casefold(): one.model for one in profiles.values() for name in (*one.also, one.model)}
    return next((called[said.model.casefold()] for said in sayings if said.model.casefold() in called), None)


def _read_ours(one: Format, delivery: Delivery, limits: Limits, profiles: Sequence[DeviceProfile]) -> Read:
    several = len(profiles) > 1
    return max((_read(one, delivery, limits, lens_of(each), (), guessed=several) for each in profiles), key=_fit)


def _fit(read: Read) -> tuple[int, int, int, int]:
    """The most readings fit best, then the most of parts, and the fewest metrics that the model could have."""
    names = list(read.lens.profile.metrics)
    of_parts = sum(
        names[item.reading.metric_id] in read.lens.parts for decoded in read.results for item in decoded.readings
    )
    return (*_likeness(read), of_parts, -len(names))


def _likeness(read: Read) -> tuple[int, int]:
    """How many readings, and how many of the message's properties the model has, by name and by number."""
    meant = read.lens.profile.meanings(read.format.language) if read.sayings else {}
    return read.readings, sum(said in meant for saying in read.sayings for said in saying.values)


def _with_what_it_describes(one: Format, delivery: Delivery) -> Delivery:
    """The message, knowing what it tells others itself: there is no other to tell it."""
    if one.describing is None:
        return delivery
    try:
        described = {key: told.body for key, told in one.describing.describes(delivery).items()}
    except ValueError:
        return delivery
    return structs.replace(delivery, described=described)


def _say(one: Format, delivery: Delivery) -> Sequence[Saying]:
    try:
        return one.parse(delivery, delivery.described or {}) if one.parse and delivery.payload else ()
    except Exception:  # What is wrong with it, decoding says.
        return ()


def _read(
    one: Format, delivery: Delivery, limits: Limits, lens: Lens, sayings: Sequence[Saying], *, guessed: bool = False
) -> Read:
    # Also whom its topic does not name, as when the payload of a bridge is tried on another topic.
    names = sorted(identities_of(one, delivery, limits) | {saying.identity for saying in sayings})
    registry = make_registry(lens.profile, one.language, names, delivery.received_at)
    return Read(one, lens, registry, decode_as(one, delivery, registry, limits), sayings, guessed)
