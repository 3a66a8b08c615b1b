"""Which formats come closest to a message that none reads: what each would have read of it, and why it does not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from msgspec import structs

from devices.wire import parse_json, parse_message, parse_sample
from ingest.formats.format import Format, Formats
from ingest.formats.vocabulary import find_entry, vocabulary_of
from ingest.nouns import Delivery

_TOPIC_MAX = 256
_SOMEBODY = "DEVICE"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a format would have read: `known` of the values are of properties that it knows. `why_not` is a sentence.

    `likeness` is how many it knows, of which everyday words count half, and how much the topic looks like its own.
    """

    name: str
    values: tuple[str, ...]
    known: tuple[str, ...]
    why_not: str
    likeness: tuple[float, float]


def find_closest(formats: Formats, delivery: Delivery, speaks: Mapping[str, Collection[str]]) -> list[Attempt]:
    """Every format's attempt at a message, the closest first. `speaks` has properties that profiles know, by format."""
    attempts = [_try(one, formats, delivery, speaks.get(one.language, ())) for one in formats.all]
    return sorted(attempts, key=lambda one: one.likeness, reverse=True)


def _try(one: Format, formats: Formats, delivery: Delivery, spoken: Collection[str]) -> Attempt:
    filters = " and ".join(subscription.topic_filter for subscription in one.subscriptions)
    reads_topic = formats.reading(delivery.topic) is one
    try:
        values = tuple(dict.fromkeys(_read(one, delivery)))
        why = "nothing in it is of this language" if not values else ""
    except Exception as error:  # Whatever it is, it is why this one does not read it.
        values, why = (), str(error) or type(error).__name__
    if not reads_topic:
        why = f"it reads {filters}" + (f", and {why}" if why else "")
    knows = _weigh(one, values, spoken)
    if not knows and not reads_topic and (found := _weigh(one, others := _read_elsewhere(one, delivery), spoken)):
        values, knows = others, found
    likeness = (sum(knows.values()), _likeness(one, delivery.topic) + (0.3 if values else 0))
    return Attempt(one.name, values, tuple(knows), why, likeness)


def _weigh(one: Format, values: Collection[str], spoken: Collection[str]) -> dict[str, float]:
    """How much each property that the format knows says for it."""
    vocabulary = vocabulary_of(one)
    weights = {}
    for said in values:
        entry = find_entry(vocabulary, said)
        if said in spoken or entry is not None:
            weights[said] = 1.0 if said in spoken or (entry is not None and not entry.everyday) else 0.5
    return weights


def _read_elsewhere(one: Format, delivery: Delivery) -> tuple[str, ...]:
    """What the format would read of the message on a topic of its own."""
    topic = one.subscriptions[0].topic_filter.replace("+", _SOMEBODY).replace("#", _SOMEBODY)
    try:
        return tuple(dict.fromkeys(_read(one, structs.replace(delivery, topic=topic))))
    except Exception:  # It is none of its messages.
        return ()


def _read(one: Format, delivery: Delivery) -> list[str]:
    """The names of the values that the format finds in the message."""
    if one.parse is not None:
        return [said for saying in one.parse(delivery, delivery.described or {}) for said in saying.values]
    message = parse_message(parse_json(delivery.payload))
    if message.fault:
        raise ValueError(message.fault)
    return [name for raw in message.samples for name in parse_sample(raw).metrics]


def _likeness(one: Format, topic: str) -> float:
    """How much the topic looks like those of the format, or like its name, from 0 to 1."""
    texts = (one.name, *one.also, *(subscription.topic_filter for subscription in one.subscriptions))
    words = [*topic[:_TOPIC_MAX].split("/"), topic[:_TOPIC_MAX]]
    return max(SequenceMatcher(None, text.lower(), word.lower()).ratio() for text in texts for word in words)
