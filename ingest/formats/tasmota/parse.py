"""Tasmota's telemetry (`tele`) and answers (`stat`): JSON by sensor, plain words for a relay, and a will.

Times are the device's local ones, without a zone unless SetOption52 is set: they are taken in the zone that the
operator named, else for unknown. `Epoch` needs no zone. A bridge's Zigbee devices (`ZbReceived`) speak under its topic.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from ingest.formats.json_values import flatten, read_json, require_object, seconds_to_ms
from ingest.formats.plain_text import as_value, read_presence, read_text
from ingest.formats.saying import Saying
from ingest.formats.tasmota.topics import TasmotaTopic, read_topic
from ingest.nouns import Delivery

_LOCAL = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?")
_WRAPPED = re.compile(r"Info[123]|Status[A-Z]{0,3}\d{0,2}")
# Words of the device's console, and what a hub reads of it, are no readings.
_PASSED_OVER = frozenset({"LOGGING", "HASS_STATE", "STATUS4", "STATUS5", "STATUS6", "STATUS7"})
_OF_THE_MESSAGE = frozenset({"Time", "Epoch", "Uptime", "UptimeSec", "TelePeriod", "ZbReceived"})


def parse_tasmota(full_topics: tuple[str, ...], zone: ZoneInfo | None, delivery: Delivery) -> Sequence[Saying]:
    """What a message says of the device, and of those behind it; ValueError when it is none of the language's."""
    topic = read_topic(delivery.topic, full_topics)
    if topic is None or topic.about in _PASSED_OVER or not delivery.payload:
        return []
    if topic.about == "LWT":
        return [Saying(topic.device, online=read_presence(delivery.payload, "Online", "Offline"))]
    if not delivery.payload.lstrip().startswith((b"{", b"[")):
        return _say_word(topic, delivery.payload)
    content = _unwrapped(require_object(read_json(delivery.payload), "the payload"))
    said_at = _said_at(content, zone)
    return [_say(topic, content, said_at), *_say_zigbee(topic, content, said_at)]


def _say_word(topic: TasmotaTopic, payload: bytes) -> Sequence[Saying]:
    """`stat/plug/POWER ON`: the topic names what the word is of."""
    text = read_text(payload)
    if topic.about in ("RESULT", "SENSOR", "STATE") or topic.about.startswith(("INFO", "STATUS")):
        raise ValueError(f"{topic.about} is not a JSON object: {text[:40]!r}")
    value = as_value(text)
    return [] if value is None else [Saying(topic.device, {topic.about: value})]


def _unwrapped(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """`{"StatusSNS": {…}}` and `{"Info1": {…}}` have their content one level deeper."""
    if len(content) == 1:
        [(name, inner)] = content.items()
        if isinstance(inner, dict) and _WRAPPED.fullmatch(name):
            return inner
    return content


def _say(topic: TasmotaTopic, content: Mapping[str, Any], said_at: int | str | None) -> Saying:
    values = {name: value for name, value in flatten(content) if name.partition(".")[0] not in _OF_THE_MESSAGE}
    module = content.get("Module")
    return Saying(topic.device, values, said_at, model=module if isinstance(module, str) else "")


def _say_zigbee(topic: TasmotaTopic, content: Mapping[str, Any], said_at: int | str | None) -> Iterator[Saying]:
    devices = content.get("ZbReceived")
    for address, said in devices.items() if isinstance(devices, dict) else ():
        if isinstance(said, dict):
            yield Saying(f"{topic.device}/{address}", dict(flatten(said)), said_at)


def _said_at(content: Mapping[str, Any], zone: ZoneInfo | None) -> int | str | None:
    for name in ("Epoch", "Time"):
        if (at := seconds_to_ms(content.get(name))) is not None:
            return at
    time = content.get("Time")
    if not isinstance(time, str) or not _LOCAL.fullmatch(time):
        return time if isinstance(time, str) and _LOCAL.match(time) else None
    if zone is None:
        return None
    try:
        return int(datetime.fromisoformat(time).replace(tzinfo=zone).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
