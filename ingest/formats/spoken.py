"""Formats of fleets' own languages: the language's grammar is a function, and profiles say what its properties mean."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import wraps

from devices.wire import PREFIX
from ingest.formats.describing import Describing
from ingest.formats.format import Format, Subscription
from ingest.formats.saying import Parse, Saying
from ingest.formats.translate import translate
from ingest.nouns import Decoded, Delivery, Lane, Limits, Registry, Rejection

_RAW_TOPIC = re.compile(rf"{PREFIX}/([A-Za-z0-9._:-]{{1,64}})/raw/[^/]+")

# Whom a topic speaks of, None where only the payload says so.
Who = Callable[[str], str | None]


def _nobody(_topic: str) -> str | None:
    return None


def spoken(
    name: str,
    subscriptions: Sequence[Subscription],
    parse: Parse,
    *,
    who: Who = _nobody,
    by_serial: bool = False,
    also: Sequence[str] = (),
    describing: Describing | None = None,
    dialect_of: str = "",
) -> Format:
    """The format of a language: `parse` reads its messages, and the profile of a device's model what they say of it.

    `who` says whom a topic speaks of, so that the payload need not be read for that; it is also who is named when the
    payload cannot be read. `also` are other names of the format that people use. `describing` is there when messages of
    the language say what others mean. `dialect_of` is the format whose language it is when that has other topics.
    """

    def identities(delivery: Delivery) -> Collection[str]:
        if (identity := who(delivery.topic)) is not None:
            return (identity,)
        try:
            sayings = parse(delivery, delivery.described or {}) if delivery.payload else ()
        except ValueError:
            return ()
        return {name for saying in sayings for name in (saying.identity, *saying.other_names)}

    def decode(delivery: Delivery, registry: Registry, limits: Limits) -> Sequence[Decoded]:
        return _decode(dialect_of or name, parse, who, delivery, registry, limits)

    return Format(
        name,
        tuple(subscriptions),
        identities,
        decode,
        by_serial,
        parse=parse,
        also=tuple(also),
        home=parse.__module__,
        describing=describing,
        dialect_of=dialect_of,
    )


def _decode(
    language: str, parse: Parse, who: Who, delivery: Delivery, registry: Registry, limits: Limits
) -> Sequence[Decoded]:
    if not delivery.payload:
        # So a retained message is deleted: there is nothing to keep.
        return []
    try:
        sayings = parse(delivery, delivery.described or {})
    except ValueError as error:
        identity = who(delivery.topic)
        decoded = Decoded(delivery) if identity is None else Decoded.of(delivery, identity, registry)
        decoded.rejections.append(Rejection("malformed", str(error)))
        return [decoded]
    return translate(sayings, delivery, registry, limits, language)


def raw(name: str, parse: Parse, *, also: Sequence[str] = (), describing: Describing | None = None) -> Format:
    """The format of a maker's own payloads, which a bridge publishes as they are on `millpond/v1/{serial}/raw/{name}`.

    The device is that of the serial, whatever the payload calls it.
    """

    @wraps(parse)
    def parse_of_serial(delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
        serial, sayings = serial_of(delivery.topic), parse(delivery, described)
        return sayings if serial is None else [replace(saying, identity=serial) for saying in sayings]

    topic = Subscription(f"{PREFIX}/+/raw/{name}", Lane.LIVE)
    return spoken(name, (topic,), parse_of_serial, who=serial_of, by_serial=True, also=also, describing=describing)


def serial_of(topic: str) -> str | None:
    """The serial in a bridge's topic, None when it is no such topic."""
    match = _RAW_TOPIC.fullmatch(topic)
    return match[1] if match else None
