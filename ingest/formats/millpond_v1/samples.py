"""Telemetry and backfill, sample by sample: what is unreadable in part costs that part, and its numbers are found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from devices.nouns import Device, Metric, Reading
from devices.salvage import Salvaged, salvage
from devices.wire import Message, Sample, parse_json, parse_message, parse_sample, parse_seq, quote
from devices.wire_time import parse_ts
from ingest.formats.moment import effective_time
from ingest.formats.value import check_value
from ingest.nouns import Decoded, DecodedReading, Delivery, Lane, Limits, Registry, Rejection, SeqKey

SAMPLES_MAX = 10_000
_DOES_NOT_END = "it does not end where it should"


@dataclass(frozen=True, slots=True)
class _Context:
    """What the samples of a message share. `fault` says what is wrong with the message itself, if anything is."""

    boot: str | None
    fault: str
    device: Device
    metrics: Mapping[str, Metric]
    limits: Limits


def decode_telemetry(decoded: Decoded, registry: Registry, limits: Limits) -> None:
    """Add to `decoded` what its message holds.

    Numbers are also those of bad samples: what is quarantined is safe, and the device may forget it.
    """
    content, not_json = _read_payload(decoded.delivery.payload)
    message = parse_message(content.content)
    samples = [_read_sample(raw, content.broken) for raw in message.samples]
    decoded.seqs = _numbers(decoded.serial, message)
    read = sum(isinstance(sample, Sample) for sample in samples)
    fault = "; ".join(filter(None, [not_json and f"{not_json}, {read} of its samples can be read", message.fault]))
    decoded.boot = message.boot
    decoded.boot_began_at = _boot_began_at(decoded.delivery, message, samples)
    decoded.numbers_lost = content.lost or bool(fault and not decoded.seqs) or _loses_numbers(message, samples)
    device = _require_device(decoded, message)
    if isinstance(device, Rejection):
        decoded.rejections.append(device)
        return
    if fault:
        decoded.rejections.append(Rejection("malformed", fault))
    context = _Context(message.boot, fault, device, registry.metrics.get(device.model, {}), limits)
    for index, sample in enumerate(samples):
        if isinstance(sample, Sample):
            _decode_sample(decoded, index, sample, context)
        elif not not_json:
            decoded.rejections.append(Rejection("malformed", f"sample {index}: {sample}", f"#{index}"))


def _read_payload(payload: bytes) -> tuple[Salvaged, str]:
    """The payload as far as it can be read, and why it is not JSON when it is none."""
    try:
        return Salvaged(parse_json(payload), frozenset(), False), ""
    except ValueError as error:
        return salvage(payload), f"the payload is not JSON: {error}"


def _boot_began_at(delivery: Delivery, message: Message, samples: Sequence[Sample | str]) -> datetime | None:
    """By the uptime at which the message was sent. What comes live was measured just then; what a broker hands out once
    more, or keeps, says nothing."""
    if delivery.retained or delivery.redelivered:
        return None
    uptimes = [one.uptime_s for one in samples if isinstance(one, Sample) and one.uptime_s is not None]
    if message.uptime_s is not None:
        uptimes.append(message.uptime_s)
    elif delivery.lane is not Lane.LIVE:
        return None
    return delivery.received_at - timedelta(seconds=max(uptimes)) if uptimes else None


def _read_sample(raw: Any, broken: frozenset[int]) -> Sample | str:
    try:
        sample = parse_sample(raw)
    except ValueError as error:
        return str(error)
    return _DOES_NOT_END if id(raw) in broken or id(sample.metrics) in broken else sample


def _numbers(serial: str, message: Message) -> list[SeqKey]:
    if message.boot is None:
        return []
    seqs = (parse_seq(raw.get("seq")) for raw in message.samples if isinstance(raw, dict))
    return [SeqKey(serial, message.boot, seq) for seq in seqs if seq is not None]


def _loses_numbers(message: Message, samples: Sequence[Sample | str]) -> bool:
    """Whether a sample has a number that does not count, or may have had one. One that is read and never had any
    loses nothing, and is no answer to what its device was asked for."""
    return any(
        parse_seq(raw["seq"]) is None or message.boot is None
        if isinstance(raw, dict) and raw.get("seq") is not None
        else isinstance(sample, str)
        for raw, sample in zip(message.samples, samples, strict=True)
    )


def _require_device(decoded: Decoded, message: Message) -> Device | Rejection:
    """Whose the samples are, or why the message is refused whole."""
    serial = decoded.serial
    if message.serial is not None and message.serial != serial:
        said = quote(message.serial)
        return Rejection("serial_mismatch", f"the payload says serial {said}, the topic another")
    if decoded.device is None:
        return Rejection("unknown_serial", f"serial {serial} is not registered")
    if len(message.samples) > SAMPLES_MAX:
        count = len(message.samples)
        return Rejection("malformed", f"samples: {count:,} are in one message, {SAMPLES_MAX:,} are allowed")
    return decoded.device


def _decode_sample(decoded: Decoded, index: int, sample: Sample, context: _Context) -> None:
    boot, received_at = context.boot, decoded.delivery.received_at
    key = SeqKey(decoded.serial, boot, sample.seq) if boot is not None and sample.seq is not None else None
    where = f"#{index}" if key is None else str(key.seq)
    try:
        said_at = parse_ts(sample.ts)
    except ValueError as error:
        decoded.rejections.append(Rejection("bad_time", str(error), where))
        return
    uptime = None if sample.uptime_s is None else timedelta(seconds=sample.uptime_s)
    measured_at, corrected = effective_time(said_at, received_at, index, context.limits)
    if key is None and corrected and not _is_news(decoded, sample, context):
        return
    for name, raw in sample.metrics.items():
        value = check_value(context.metrics, context.device.model, name, raw)
        if isinstance(value, Rejection):
            decoded.rejections.append(Rejection(value.code, value.reason, f"{where}/{name[:64]}"))
            continue
        number, state = (None, value) if isinstance(value, str) else (value, None)
        device_id, metric_id = context.device.device_id, context.metrics[name].metric_id
        reading = Reading(device_id, metric_id, measured_at, number, state, received_at, corrected)
        decoded.readings.append(DecodedReading(reading, key, said_at, index, uptime))


def _is_news(decoded: Decoded, sample: Sample, context: _Context) -> bool:
    """Whether a sample that has neither a number nor a time is stored: there is nothing to know it again by."""
    if decoded.delivery.retained:
        # The broker hands it out at each subscription, and it may be a year old.
        decoded.no_news += len(sample.metrics)
        return False
    # A device sends a message that is at fault again and again. Its number may be there and not be readable.
    return not context.fault
