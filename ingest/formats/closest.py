"""Which formats come closest to a message that none reads: what each would have read of it, and why it does not."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

from devices.wire import parse_json, parse_message, parse_sample
from ingest.formats.format import Format, Formats
from ingest.formats.vocabulary import find_entry, vocabulary_of
from ingest.nouns import Delivery

_TOPIC_MAX = 256


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a format would have read: `known` of the values are of properties that it knows. `why_not` is a sentence."""

    name: str
    values: tuple[str, ...]
    known: tuple[str, ...]
    why_not: str
    likeness: float


def find_closest(formats: Formats, delivery: Delivery, speaks: Mapping[str, Collection[str]]) -> list[Attempt]:
    """Every format's attempt at a message, the closest first. `speaks` has properties that profiles know, by format."""
    attempts = [_try(one, formats, delivery, speaks.get(one.language, ())) for one in formats.all]
    return sorted(attempts, key=lambda one: (len(one.known), one.likeness + (0.3 if one.values else 0)), reverse=True)


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
    vocabulary = vocabulary_of(one)
    known = tuple(said for said in values if said in spoken or find_entry(vocabulary, said) is not None)
    return Attempt(one.name, values, known, why, _likeness(one, delivery.topic))


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
