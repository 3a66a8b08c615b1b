"""Which model an unknown device may be: the one whose profile reads most of what waits. A guess admits nobody."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from devices.nouns import Device, Metric
from devices.store import select_metrics
from ingest.formats.format import Formats
from ingest.formats.shipped import FORMATS
from ingest.lobby.nouns import Guess, Unknown
from ingest.lobby.store import select_newest_waiting
from ingest.nouns import Delivery, Limits, Registry
from millpond.kernel.db import ReadConnection
from millpond.kernel.ids import DeviceId, Serial

_MESSAGES = 5
_NAMED = 3
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def guess_model(
    conn: ReadConnection, unknown: Unknown, limits: Limits, *, formats: Formats = FORMATS, messages: int = _MESSAGES
) -> list[Guess]:
    """The models that read most of the newest messages, best first; none when no model reads any of them."""
    kept = [one for one in select_newest_waiting(conn, unknown.name, messages) if one.is_whole]
    return guess_from([one.deliveries[0] for one in kept], unknown, select_metrics(conn), limits, formats)


def guess_from(
    deliveries: Sequence[Delivery],
    unknown: Unknown,
    metrics: Mapping[str, Mapping[str, Metric]],
    limits: Limits,
    formats: Formats,
) -> list[Guess]:
    """The same, from messages at hand."""
    guesses = (_try(model, deliveries, unknown, metrics, limits, formats) for model in metrics)
    able = [guess for guess in guesses if guess.readings]
    return sorted(able, key=lambda guess: (guess.refused - guess.readings, guess.model))[:_NAMED]


def _try(
    model: str,
    deliveries: Sequence[Delivery],
    unknown: Unknown,
    metrics: Mapping[str, Mapping[str, Metric]],
    limits: Limits,
    formats: Formats,
) -> Guess:
    """What they would become if the device were of this model."""
    device = Device(DeviceId(0), Serial(unknown.identity), model, "", None, _LONG_AGO, _LONG_AGO)
    readings = refused = 0
    for delivery in deliveries:
        one = formats.reading(delivery.topic)
        if one is None:
            continue
        registry = Registry({unknown.identity: device}, metrics, "" if one.by_serial else f"{one.name}/")
        for decoded in formats.decode(delivery, {one.name: registry}, limits):
            if decoded.device is device:
                readings += len(decoded.readings)
                refused += sum(rejection.items for rejection in decoded.rejections)
    return Guess(model, readings, refused)
