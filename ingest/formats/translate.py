"""What a fleet's own language says, as readings: a profile of the device's model says what its properties mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from devices.nouns import Device, Meaning, Metric, Reading
from devices.wire import Status, quote
from devices.wire_time import parse_ts
from ingest.formats.moment import effective_time
from ingest.formats.raw_value import has_value, read_raw
from ingest.formats.saying import Saying
from ingest.formats.value import check_value
from ingest.nouns import Decoded, DecodedReading, Delivery, Limits, Registry, Rejection

_ITEM_MAX = 64


@dataclass(frozen=True, slots=True)
class Spoken:
    """A property that has a value and is a metric of the device's model."""

    said: str
    meaning: Meaning
    metric: Metric
    raw: Any


@dataclass(frozen=True, slots=True)
class _When:
    """When a saying counts as measured, and whether that is our time; `index` is its place in the message."""

    said_at: datetime | None
    measured_at: datetime
    corrected: bool
    index: int


def translate(
    sayings: Sequence[Saying], delivery: Delivery, registry: Registry, limits: Limits, language: str
) -> list[Decoded]:
    """What a message of a language becomes that says this: one result for each device that it speaks of."""
    results: dict[str, Decoded] = {}
    refused: set[str] = set()
    for index, saying in enumerate(sayings):
        found = Decoded.of(delivery, _find_name(saying, registry), registry)
        decoded = results.setdefault(found.serial, found)
        if decoded.device is None:
            decoded.other_names = decoded.other_names or saying.other_names
            decoded.said_model = decoded.said_model or saying.model
        if decoded.device is None and saying.values and decoded.serial not in refused:
            refused.add(decoded.serial)
            decoded.rejections.append(refuse_unknown(saying.identity, registry, language))
        decoded.rejections += saying.rejections
        decoded.asks += saying.asks
        if saying.online is not None:
            _note_presence(decoded, saying, language)
        if decoded.device is not None and saying.values:
            _add_values(decoded, decoded.device, saying, index, registry, limits)
    return list(results.values())


def _find_name(saying: Saying, registry: Registry) -> str:
    """Of the names by which a device goes the first that somebody is called by."""
    names = (saying.identity, *saying.other_names)
    return next((name for name in names if name in registry.devices), saying.identity)


def refuse_unknown(identity: str, registry: Registry, language: str) -> Rejection:
    """Why nothing of a device is stored that nobody has registered."""
    if not registry.namespace:
        return Rejection("unknown_serial", f"serial {identity} is not registered")
    return Rejection(
        "unknown_device", f"no registered device is what {language} calls {quote(identity)}: add its alias"
    )


def _note_presence(decoded: Decoded, saying: Saying, language: str) -> None:
    # Where a language has no sessions, all of a device's are one.
    content = {"state": "online" if saying.online else "offline", "session": saying.session or language}
    try:
        decoded.status = Status.model_validate(content)
    except ValidationError:
        why = f"session {quote(saying.session)} is not 1 to 64 characters without NUL"
        decoded.rejections.append(Rejection("malformed", why))


def _add_values(
    decoded: Decoded, device: Device, saying: Saying, index: int, registry: Registry, limits: Limits
) -> None:
    meanings, metrics = registry.speaks.get(device.model, {}), registry.metrics.get(device.model, {})
    spoken = find_spoken(meanings, metrics, saying.values)
    if not spoken:
        return
    try:
        said_at = parse_ts(saying.said_at)
    except ValueError as error:
        decoded.rejections.append(Rejection("bad_time", str(error), f"#{index}"))
        return
    measured_at, corrected = effective_time(said_at, decoded.delivery.received_at, index, limits)
    if corrected and decoded.delivery.retained:
        # The broker hands it out at each subscription, and it may be a year old.
        decoded.no_news += len(spoken)
        return
    for one in spoken:
        _add_value(decoded, device, one, _When(said_at, measured_at, corrected, index))


def find_spoken(
    meanings: Mapping[str, Meaning], metrics: Mapping[str, Metric], values: Mapping[str, Any]
) -> list[Spoken]:
    """What has a value and is a metric. Of two properties that are one metric the profile's first one counts."""
    found: dict[str, Spoken] = {}
    for said, meaning in meanings.items():
        raw, metric = values.get(said), metrics.get(meaning.metric)
        if metric is not None and meaning.metric not in found and has_value(meaning, raw):
            found[meaning.metric] = Spoken(said, meaning, metric, raw)
    return list(found.values())


def _add_value(decoded: Decoded, device: Device, one: Spoken, when: _When) -> None:
    metric = one.metric
    value = check_value({metric.name: metric}, device.model, metric.name, read_raw(one.meaning, metric, one.raw))
    if isinstance(value, Rejection):
        reason = value.reason if one.said == metric.name else f"{one.said[:_ITEM_MAX]}: {value.reason}"
        decoded.rejections.append(Rejection(value.code, reason, f"#{when.index}/{metric.name}"))
        return
    number, state = (None, value) if isinstance(value, str) else (value, None)
    reading = Reading(
        device.device_id,
        metric.metric_id,
        when.measured_at,
        number,
        state,
        decoded.delivery.received_at,
        when.corrected,
    )
    decoded.readings.append(DecodedReading(reading, None, when.said_at, when.index))
