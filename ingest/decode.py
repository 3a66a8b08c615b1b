"""Messages to readings and rejections: pure, and no message can make it fail.

One function reads each format, chosen by topic: ours is below, formats of other fleets join `decode_delivery`.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from devices.nouns import Device, Metric, Reading
from devices.wire import (
    SEQ_MAX,
    ResendResult,
    Sample,
    Status,
    Telemetry,
    Topic,
    parse_json,
    parse_result_topic,
    parse_topic,
    parse_ts,
)
from ingest.delivery import Delivery
from ingest.value import Rejection, check_value

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a device's clock and a payload may be; settings in the units of the decoder."""

    payload_max_bytes: int
    clock_past: timedelta
    clock_future: timedelta


@dataclass(frozen=True, slots=True)
class Registry:
    """What the decoder must know of the devices in a batch: those that exist, and their models' metrics."""

    devices: Mapping[str, Device]
    metrics: Mapping[str, Mapping[str, Metric]]


@dataclass(frozen=True, slots=True)
class SeqKey:
    """A sample's own key, where the device gives one."""

    serial: str
    boot: str
    seq: int


@dataclass(frozen=True, slots=True)
class DecodedReading:
    """A reading, and the sample it came in: a corrected time is shared by all deliveries of that sample.

    `said_at` is what the device's clock said, None when it said nothing; `index` is the sample's place in its message.
    """

    reading: Reading
    sample: SeqKey | None
    said_at: datetime | None = None
    index: int = 0


@dataclass(slots=True)
class Decoded:
    """What one delivery became. `items` is the number of outcomes it owes: readings, rejections, and what is no news:
    values of a retained message that say neither when they were measured nor their number."""

    delivery: Delivery
    serial: str = ""
    readings: list[DecodedReading] = field(default_factory=list)
    rejections: list[Rejection] = field(default_factory=list)
    no_news: int = 0
    seqs: list[SeqKey] = field(default_factory=list)
    status: Status | None = None
    gone: ResendResult | None = None

    @property
    def items(self) -> int:
        return len(self.readings) + sum(rejection.items for rejection in self.rejections) + self.no_news


def serial_of(topic: str) -> str | None:
    """The serial a topic of ours names, whatever its channel."""
    if parsed := parse_topic(topic):
        return parsed.serial
    result = parse_result_topic(topic)
    return result[0] if result else None


def decode_batch(deliveries: Sequence[Delivery], registry: Registry, limits: Limits) -> list[Decoded]:
    """What each delivery becomes, in order."""
    return [decode_delivery(delivery, registry, limits) for delivery in deliveries]


def decode_delivery(delivery: Delivery, registry: Registry, limits: Limits) -> Decoded:
    """What one delivery becomes: never raises, a bad message is a value."""
    try:
        return _decode(delivery, registry, limits)
    except Exception as error:  # A mistake of ours must not stop the lane for good: the bytes are kept, and it is loud.
        _LOG.exception("a message could not be decoded", extra={"event": "decode_failed", "topic": delivery.topic})
        serial = serial_of(delivery.topic) or ""
        return _reject(Decoded(delivery, serial), "undecodable", f"decoding failed with {type(error).__name__}")


def _decode(delivery: Delivery, registry: Registry, limits: Limits) -> Decoded:
    serial = serial_of(delivery.topic)
    decoded = Decoded(delivery, serial or "")
    if serial is None:
        return _reject(decoded, "bad_topic", f"topic {delivery.topic[:200]!r} is not one of ours")
    if len(delivery.payload) > limits.payload_max_bytes:
        size = len(delivery.payload)
        return _reject(
            decoded, "too_large", f"the payload has {size:,} bytes, {limits.payload_max_bytes:,} are allowed"
        )
    try:
        content = parse_json(delivery.payload)
    except ValueError as error:
        return _reject(decoded, "malformed", f"the payload is not JSON: {error}")
    return _decode_channel(decoded, parse_topic(delivery.topic), content, registry, limits)


def _decode_channel(decoded: Decoded, topic: Topic | None, content: Any, registry: Registry, limits: Limits) -> Decoded:
    try:
        if topic is None:
            result = ResendResult.model_validate(content)
            decoded.gone = result if result.status == "gone" else None
        elif topic.channel == "status":
            decoded.status = Status.model_validate(content)
        else:
            _decode_telemetry(decoded, Telemetry.model_validate(content), registry, limits)
    except ValidationError as error:
        return _reject(decoded, "malformed", _sentence(error))
    return decoded


def _decode_telemetry(decoded: Decoded, telemetry: Telemetry, registry: Registry, limits: Limits) -> None:
    device = registry.devices.get(decoded.serial)
    samples = [_parse_sample(raw) for raw in telemetry.samples]
    if telemetry.boot is not None:
        # Also those of bad samples: what is quarantined is safe, and the device may forget it.
        seqs = [seq for raw in telemetry.samples if (seq := _seq_of(raw)) is not None]
        decoded.seqs = [SeqKey(decoded.serial, telemetry.boot, seq) for seq in seqs]
    if telemetry.serial is not None and telemetry.serial != decoded.serial:
        _reject(decoded, "serial_mismatch", f"the payload says serial {telemetry.serial[:80]!r}, the topic another")
    elif device is None:
        _reject(decoded, "unknown_serial", f"serial {decoded.serial} is not registered")
    else:
        metrics = registry.metrics.get(device.model, {})
        for index, sample in enumerate(samples):
            _decode_sample(decoded, telemetry.boot, index, sample, device, metrics, limits)


def _seq_of(raw: Any) -> int | None:
    seq = raw.get("seq") if isinstance(raw, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) and 0 <= seq <= SEQ_MAX else None


def _parse_sample(raw: Any) -> Sample | str:
    try:
        return Sample.model_validate(raw)
    except ValidationError as error:
        return _sentence(error)


def _decode_sample(
    decoded: Decoded,
    boot: str | None,
    index: int,
    sample: Sample | str,
    device: Device,
    metrics: Mapping[str, Metric],
    limits: Limits,
) -> None:
    if isinstance(sample, str):
        decoded.rejections.append(Rejection("malformed", f"sample {index}: {sample}", f"#{index}"))
        return
    key = SeqKey(decoded.serial, boot, sample.seq) if boot is not None and sample.seq is not None else None
    where = f"#{index}" if key is None else str(key.seq)
    try:
        said_at = parse_ts(sample.ts)
    except ValueError as error:
        decoded.rejections.append(Rejection("bad_time", str(error), where))
        return
    received_at = decoded.delivery.received_at
    measured_at, corrected = _effective_time(said_at, received_at, index, limits)
    if decoded.delivery.retained and corrected and key is None:
        # The broker hands it out at each subscription: it may be a year old, and there is nothing to know it again by.
        decoded.no_news += len(sample.metrics)
        return
    for name, raw in sample.metrics.items():
        value = check_value(metrics, device.model, name, raw)
        if isinstance(value, Rejection):
            decoded.rejections.append(Rejection(value.code, value.reason, f"{where}/{name[:64]}"))
            continue
        number, state = (None, value) if isinstance(value, str) else (value, None)
        metric_id = metrics[name].metric_id
        reading = Reading(device.device_id, metric_id, measured_at, number, state, received_at, corrected)
        decoded.readings.append(DecodedReading(reading, key, said_at, index))


def _effective_time(
    said_at: datetime | None, received_at: datetime, index: int, limits: Limits
) -> tuple[datetime, bool]:
    """When a sample counts as measured, and whether that is our correction of an absent or implausible time."""
    if said_at is not None and -limits.clock_past <= said_at - received_at <= limits.clock_future:
        return said_at, False
    # Samples of one message came at one moment; a microsecond apart they stay different readings.
    return received_at + timedelta(microseconds=index), True


def _reject(decoded: Decoded, code: str, reason: str) -> Decoded:
    decoded.rejections.append(Rejection(code, reason, ""))
    return decoded


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
