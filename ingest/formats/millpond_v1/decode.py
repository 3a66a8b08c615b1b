"""Messages of ours to readings and rejections, or to what a device says of itself."""

from collections.abc import Collection, Sequence

from pydantic import ValidationError

from devices.wire import ResendResult, Status, Topic, parse_json, parse_result_topic, parse_topic
from ingest.formats.format import refuse_topic
from ingest.formats.millpond_v1.samples import decode_telemetry
from ingest.nouns import Decoded, Delivery, Limits, Registry, Rejection


def identities(delivery: Delivery) -> Collection[str]:
    """The serial in a message's topic."""
    serial = _serial_of(delivery.topic)
    return () if serial is None else (serial,)


def may_have_numbers(topic: str) -> bool:
    """Whether a topic is that of telemetry or backfill."""
    parsed = parse_topic(topic)
    return parsed is not None and _is_telemetry(parsed)


def decode(delivery: Delivery, registry: Registry, limits: Limits) -> Sequence[Decoded]:
    """What a message becomes: one result, of the device in its topic."""
    topic = parse_topic(delivery.topic)
    serial = topic.serial if topic else _serial_of(delivery.topic)
    if serial is None:
        return [refuse_topic(delivery)]
    decoded = Decoded.of(delivery, serial, registry)
    if not delivery.payload:
        # So a retained message is deleted; whoever is subscribed is handed that too, and there is nothing to keep. It
        # may also be all that is left of a sample: as an answer to what was asked for it is one that cannot be read.
        decoded.numbers_lost = topic is not None and _is_telemetry(topic)
    elif topic is not None and _is_telemetry(topic):
        decode_telemetry(decoded, registry, limits)
    else:
        _decode_word(decoded, topic)
    return [decoded]


def _serial_of(topic: str) -> str | None:
    """The serial a topic of ours names, whatever its channel."""
    if parsed := parse_topic(topic):
        return parsed.serial
    result = parse_result_topic(topic)
    return result[0] if result else None


def _is_telemetry(topic: Topic) -> bool:
    return topic.channel in ("telemetry", "backfill")


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


def _sentence(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message
