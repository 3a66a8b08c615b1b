"""The door by which every format comes in: which topics it reads, whom a message speaks of, and what it becomes."""

import logging
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from msgspec import structs

from devices.wire import is_text
from ingest.formats.describing import Describing
from ingest.formats.saying import Parse
from ingest.formats.shapes import Shapes
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry, Rejection
from ingest.plain import KnownDevice, PlainMessages

_LOG = logging.getLogger(__name__)
_WORDS = re.compile(r"[^\W_]+")
_IDENTITY_MAX = 256
_TOPICS_REMEMBERED = 16_384
_TOPIC_REMEMBERED_MAX = 256


@dataclass(frozen=True, slots=True)
class Subscription:
    """A topic filter, with MQTT's `+` and `#`, and the lane in which its messages wait."""

    topic_filter: str
    lane: Lane


@dataclass(frozen=True, slots=True, eq=False)
class PlainReader:
    """The quick way to read the messages of a format that need no care, by column.

    `serial` says whose a topic may be, None for topics that are left alone. `read` takes deliveries, their serials,
    the devices that are known of these, and the shapes of their models' samples; what it returns is what `decode` of
    the format would make of these messages, and it leaves out all that may need care. Both are pure and raise nothing.
    """

    serial: Callable[[str], str | None]
    read: Callable[[Sequence[Delivery], Sequence[str | None], Mapping[str, KnownDevice], Shapes, Limits], PlainMessages]


def _never(_topic: str) -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class Format:
    """One language that devices, or the hubs that speak for them, publish in.

    `identities` says what a message calls its devices: serials where the format is `by_serial`, else names of its own,
    which stand for devices in the table of aliases under the format's `name`. `decode` gives one result for each device
    that the message speaks of; one that is not in the registry is a rejection. Both are pure, and take time and memory
    that are linear in the payload, which is within the limits. What they raise is logged, and the message is kept.

    `may_have_numbers` says of a topic whether what it carries may be samples with sequence numbers. `parse` says what a
    message says, where properties become metrics by profiles; `home` is the module of it, beside which the language's
    vocabulary lies. `also` are other names that people have for the format. `describing` is there when messages of the
    language say what others mean. `dialect_of` is another format's name where this one speaks its language on other
    topics: then profiles and aliases know both by that. `plain` is a quicker way for what needs no care.
    """

    name: str
    subscriptions: tuple[Subscription, ...]
    identities: Callable[[Delivery], Collection[str]]
    decode: Callable[[Delivery, Registry, Limits], Sequence[Decoded]]
    by_serial: bool = False
    may_have_numbers: Callable[[str], bool] = _never
    parse: Parse | None = None
    also: tuple[str, ...] = ()
    home: str = ""
    describing: Describing | None = None
    dialect_of: str = ""
    plain: PlainReader | None = None

    @property
    def language(self) -> str:
        """What profiles and aliases know it by."""
        return self.dialect_of or self.name


class Formats:
    """The formats that an ingest reads, and the one place that decides which of them reads a topic."""

    def __init__(self, *formats: Format) -> None:
        self._by_pattern = [(compile_filters(one.subscriptions), one) for one in formats]
        # Devices publish to the same few topics again and again.
        self._recall_reading = lru_cache(_TOPICS_REMEMBERED)(self._find_reading)

    @property
    def names(self) -> list[str]:
        """What the formats are called."""
        return [one.name for _, one in self._by_pattern]

    @property
    def plain(self) -> PlainReader | None:
        """The quick way of the first format, before which no other can read a topic."""
        return self._by_pattern[0][1].plain if self._by_pattern else None

    @property
    def all(self) -> list[Format]:
        """The formats, in the order in which they are asked who reads a topic."""
        return [one for _, one in self._by_pattern]

    def find(self, name: str, topic: str = "") -> Format | None:
        """The format that somebody means by a name: its own or another one of it, however it is spelt, and what follows
        it (`Homie v4`). Of a language's formats the one that reads the topic comes first."""
        spelt = {_plain(other): one for one in self.all for other in (*one.also, one.name)}
        words = _WORDS.findall(name)
        begins = ("".join(words[:count]).casefold() for count in range(len(words), 0, -1))
        found = (spelt.get(begin, spelt.get(begin.rstrip("0123456789"))) for begin in begins)
        one = next((one for one in found if one is not None), None)
        reads = self.reading(topic)
        return reads if one is not None and reads is not None and reads.language == one.language else one

    def named(self, *names: str) -> "Formats":
        """The formats of these languages alone, in their order here. Raises KeyError for one that nobody speaks."""
        missing = set(names) - {one.language for one in self.all}
        if missing:
            raise KeyError(missing.pop())
        return Formats(*(one for one in self.all if one.language in names))

    def topic_filters(self, lane: Lane) -> list[str]:
        """What ingest subscribes to in a lane."""
        subscriptions = (subscription for _, one in self._by_pattern for subscription in one.subscriptions)
        return [subscription.topic_filter for subscription in subscriptions if subscription.lane is lane]

    def _find_reading(self, topic: str) -> Format | None:
        return next((one for pattern, one in self._by_pattern if pattern.fullmatch(topic)), None)

    def reading(self, topic: str) -> Format | None:
        """The first one with a subscription that covers the topic; None when there is none."""
        # A topic may have 64 kB, and whoever publishes makes it up: such ones are not remembered.
        return self._recall_reading(topic) if len(topic) <= _TOPIC_REMEMBERED_MAX else self._find_reading(topic)

    def identities(self, deliveries: Sequence[Delivery], limits: Limits) -> dict[Format, set[str]]:
        """What the messages call their devices, by format; never raises."""
        by_format: dict[Format, set[str]] = {}
        for delivery in deliveries:
            if one := self.reading(delivery.topic):
                by_format.setdefault(one, set()).update(identities_of(one, delivery, limits))
        return by_format

    def decode(self, delivery: Delivery, registries: Mapping[str, Registry], limits: Limits) -> list[Decoded]:
        """What a message becomes, one result or more; never raises, a bad message is a value.

        `registries` has, by the name of a format, the devices that were found for its `identities`.
        """
        one = self.reading(delivery.topic)
        if one is None:
            return [refuse_topic(delivery)]
        return decode_as(one, delivery, registries[one.name], limits)


def decode_as(one: Format, delivery: Delivery, registry: Registry, limits: Limits) -> list[Decoded]:
    """What a message becomes in a format, whatever its topic; never raises."""
    if len(delivery.payload) > limits.payload_max_bytes:
        size, most = len(delivery.payload), limits.payload_max_bytes
        why = Rejection("too_large", f"the payload has {size:,} bytes, {most:,} are allowed")
        return [_refuse_unread(one, delivery, registry, limits, why)]
    try:
        # A message about no device owes nothing, and is a message all the same.
        return list(one.decode(delivery, registry, limits)) or [Decoded(delivery)]
    except Exception as error:  # A mistake of ours must not stop the lane for good: the bytes are kept.
        _LOG.exception("a message could not be decoded", extra={"event": "decode_failed", "topic": delivery.topic})
        why = Rejection("undecodable", f"decoding failed with {type(error).__name__}")
        return [_refuse_unread(one, delivery, registry, limits, why)]


def refuse_topic(delivery: Delivery) -> Decoded:
    """What a message becomes whose topic says nothing that we know."""
    why = Rejection("bad_topic", f"topic {delivery.topic[:200]!r} is not one of ours")
    return Decoded(delivery, rejections=[why])


def _refuse_unread(one: Format, delivery: Delivery, registry: Registry, limits: Limits, why: Rejection) -> Decoded:
    """A message of which nothing but its topic was read: it is the topic's device, where that names one."""
    named = sorted(identities_of(one, structs.replace(delivery, payload=b""), limits))
    decoded = Decoded.of(delivery, named[0], registry) if len(named) == 1 else Decoded(delivery)
    decoded.rejections.append(why)
    decoded.numbers_lost = one.may_have_numbers(delivery.topic)
    return decoded


def identities_of(one: Format, delivery: Delivery, limits: Limits) -> set[str]:
    """What a message calls its devices in a format, whatever its topic; never raises."""
    if len(delivery.payload) > limits.payload_max_bytes:
        delivery = structs.replace(delivery, payload=b"")
    try:
        return set(filter(_can_be_known, one.identities(delivery)))
    except Exception:
        extra = {"event": "decode_failed", "topic": delivery.topic}
        _LOG.exception("whom a message speaks of cannot be said", extra=extra)
        return set()


def _plain(name: str) -> str:
    return "".join(_WORDS.findall(name)).casefold()


def _can_be_known(identity: str) -> bool:
    """Whether the database could have it."""
    return 0 < len(identity) <= _IDENTITY_MAX and "\x00" not in identity and is_text(identity)


def compile_filters(subscriptions: Sequence[Subscription]) -> re.Pattern[str]:
    """What a topic looks like that one of the filters covers (MQTT 4.7.1): `+` is one level, `#` is all that follow."""
    filters = (re.escape(subscription.topic_filter) for subscription in subscriptions)
    patterns = (one.replace(r"/\#", "(?:/.*)?").replace(r"\#", ".*").replace(r"\+", "[^/]*") for one in filters)
    return re.compile("|".join(patterns), re.DOTALL)
