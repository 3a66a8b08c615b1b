"""Messages to readings and rejections: pure, and no message can make it fail.

One function reads each format, chosen by topic: ours is below, formats of other fleets join `decode_delivery`.
"""

import logging
from collections.abc import Sequence

from pydantic import ValidationError

from devices.wire import ResendResult, Status, Topic, parse_json, parse_result_topic, parse_topic
from ingest.formats.millpond_v1.samples import decode_telemetry
from ingest.nouns import Decoded, Delivery, Limits, Registry, Rejection

_LOG = logging.getLogger(__name__)
_TELEMETRY = ("telemetry", "backfill")


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
        decoded = Decoded(delivery, serial_of(delivery.topic) or "")
        return _reject_unread(decoded, "undecodable", f"decoding failed with {type(error).__name__}")


def _decode(delivery: Delivery, registry: Registry, limits: Limits) -> Decoded:
    serial = serial_of(delivery.topic)
    decoded = Decoded(delivery, serial or "")
    if serial is None:
        decoded.rejections.append(Rejection("bad_topic", f"topic {delivery.topic[:200]!r} is not one of ours"))
        return decoded
    if not delivery.payload:
        # So a retained message is deleted; whoever is subscribed is handed that too, and there is nothing to keep. It
        # may also be all that is left of a sample: as an answer to what was asked for it is one that cannot be read.
        decoded.numbers_lost = _is_telemetry(delivery)
        return decoded
    if len(delivery.payload) > limits.payload_max_bytes:
        size, most = len(delivery.payload), limits.payload_max_bytes
        return _reject_unread(decoded, "too_large", f"the payload has {size:,} bytes, {most:,} are allowed")
    topic = parse_topic(delivery.topic)
    if topic is not None and topic.channel in _TELEMETRY:
        decode_telemetry(decoded, registry, limits)
    else:
        _decode_word(decoded, topic)
    return decoded


def _decode_word(decoded: Decoded, topic: Topic | None) -> None:
    """What a device says of itself: its status, or the answer to a command."""
    try:
        content = parse_json(decoded.delivery.payload)
        if topic is None:
            result = ResendResult.model_validate(content)
            decoded.gone = result if result.status == "gone" else None
        elif topic.channel == "status":
            decoded.status = Status.model_validate(content)
    except ValidationError as error:
        decoded.rejections.append(Rejection("malformed", _sentence(error)))
    except ValueError as error:
        decoded.rejections.append(Rejection("malformed", f"the payload is not JSON: {error}"))


def _reject_unread(decoded: Decoded, code: str, reason: str) -> Decoded:
    decoded.numbers_lost = _is_telemetry(decoded.delivery)
    decoded.rejections.append(Rejection(code, reason))
    return decoded


def _is_telemetry(delivery: Delivery) -> bool:
    topic = parse_topic(delivery.topic)
    return topic is not None and topic.channel in _TELEMETRY


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
