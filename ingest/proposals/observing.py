"""What devices said of each property, message after message."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import structs

from devices.wire import is_text, parse_json, parse_message, parse_sample, parse_topic
from devices.wire_time import parse_ts
from ingest.formats.format import Format, Formats
from ingest.formats.raw_value import read_number
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_VALUES_MAX, _NAME_MAX, _MOST = 100_000, 256, 10**15


@dataclass(slots=True)
class Observed:
    """One property: when it had which value, in order."""

    said: str
    at: list[datetime] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Spoken:
    """What one device said in one language, by property."""

    identity: str
    format: Format
    model: str = ""
    messages: int = 0
    properties: dict[str, Observed] = field(default_factory=dict)

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when until when anything was said."""
        moments = [moment for one in self.properties.values() for moment in (one.at[0], one.at[-1])]
        return min(moments), max(moments)


@dataclass(slots=True)
class Observations:
    """All devices that said anything, and how many messages no format reads."""

    devices: dict[tuple[str, str], Spoken] = field(default_factory=dict)
    unread: int = 0

    @property
    def most_told(self) -> list[Spoken]:
        """Those that said anything of themselves, the one that said most first."""
        told = [one for one in self.devices.values() if one.properties]
        return sorted(told, key=lambda one: (-len(one.properties) * one.messages, one.identity))


def observe(deliveries: Iterable[Delivery], formats: Formats, named: Format | None = None) -> Observations:
    """What is said in messages, in their order; all of them are of the format that is `named`, if one is."""
    seen, described = Observations(), dict[str, bytes]()
    for delivery in deliveries:
        one = named or formats.reading(delivery.topic)
        sayings = None if one is None else _say(one, delivery, described)
        if one is None or sayings is None:
            seen.unread += 1
            continue
        for saying in sayings:
            _note(seen, one, saying, delivery.received_at)
    return seen


def _say(one: Format, delivery: Delivery, described: dict[str, bytes]) -> list[Saying] | None:
    """What a message says, knowing what those before it described; None when it cannot be read."""
    try:
        if one.describing is not None:
            described |= {key: told.body for key, told in one.describing.describes(delivery).items()}
            delivery = structs.replace(delivery, described=described)
        if not delivery.payload:
            return []
        return list(_say_ours(delivery) if one.parse is None else one.parse(delivery, delivery.described or {}))
    except Exception:  # A recording has what there was on the broker, whatever it was.
        return None


def _say_ours(delivery: Delivery) -> Iterator[Saying]:
    topic = parse_topic(delivery.topic)
    message = parse_message(parse_json(delivery.payload))
    for sample in map(parse_sample, message.samples):
        yield Saying("" if topic is None else topic.serial, sample.metrics, sample.ts)


def _note(seen: Observations, one: Format, saying: Saying, received_at: datetime) -> None:
    device = seen.devices.setdefault((one.language, saying.identity), Spoken(saying.identity, one))
    device.model, device.messages = saying.model or device.model, device.messages + 1
    at = _time(saying.said_at) or received_at
    for said, raw in _plain(saying.values):
        observed = device.properties.setdefault(said, Observed(said))
        if len(observed.values) < _VALUES_MAX:
            observed.at.append(at)
            observed.values.append(raw)


def _plain(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for said, raw in values.items():
        if isinstance(raw, bool | int | float | str) and 0 < len(said) <= _NAME_MAX and is_text(said):
            number = read_number(raw)
            # What is larger, or no number at all, no device measures.
            if isinstance(number, str) or abs(number) <= _MOST:
                yield said, raw


def _time(said_at: Any) -> datetime | None:
    try:
        return parse_ts(said_at)
    except ValueError:
        return None
