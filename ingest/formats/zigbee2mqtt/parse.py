"""Zigbee2MQTT's topics: one of each device, with all that is known of it as JSON, or one for each attribute.

`{base}/{friendly name}` has an object, and the name may have slashes. With `output: attribute` each value has a topic
of its own, `{base}/{friendly name}/{attribute}`, where what is nested is joined with a dash (`update-state`).
`…/availability` says who is there. What is below `bridge/`, and `…/set` and `…/get`, is not of devices.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ingest.formats.json_values import flatten, read_json
from ingest.formats.plain_text import as_value, read_presence, read_text
from ingest.formats.saying import Saying
from ingest.formats.zigbee2mqtt.devices import Known, describe_devices, describe_groups, is_group, known_of
from ingest.nouns import Delivery

_COMMAND = re.compile(r"[^/].*?/(set|get)(/.*)?", re.DOTALL)
_SEEN = re.compile(r"\d{4}-\d{2}-\d{2}T.*(?:[Zz]|[+-]\d{2}:\d{2})")
_LEVELS_MAX = 12
_OF_THE_MESSAGE = frozenset({"device", "last_seen"})


def parse_below(base: str, delivery: Delivery, described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message below `base` says: one saying of a device, or none. ValueError when it cannot be read."""
    rest, payload = delivery.topic.removeprefix(f"{base}/"), delivery.payload
    if is_of_bridge(rest):
        # It describes; what cannot be read of it is refused as any message.
        describe_devices(base, rest, payload)
        describe_groups(base, rest, payload)
        return []
    if not payload or _COMMAND.fullmatch(rest) or is_group(base, rest, described):
        return []
    name, is_availability = rest.removesuffix("/availability"), rest.endswith("/availability")
    if is_availability:
        return [known_of(base, name, described).say(online=_read_availability(payload))]
    content = _as_object(payload)
    return (
        _say_attribute(base, rest, payload, described)
        if content is None
        else _say_object(known_of(base, rest, described), content)
    )


def needs_below(base: str, delivery: Delivery) -> Collection[str]:
    """The friendly names that a topic may begin with, each below the base."""
    rest = delivery.topic.removeprefix(f"{base}/")
    if is_of_bridge(rest) or rest.count("/") >= _LEVELS_MAX:
        return ()
    levels = rest.split("/")
    return [f"{base}/{'/'.join(levels[:count])}" for count in range(1, len(levels) + 1)]


def is_of_bridge(rest: str) -> bool:
    """Whether it is the hub that speaks, of itself."""
    return rest == "bridge" or rest.startswith("bridge/")


def _as_object(payload: bytes) -> Mapping[str, Any] | None:
    """The JSON object of a payload; None when it is one value. ValueError when it begins as an object and is none."""
    if not payload.lstrip().startswith(b"{"):
        return None
    content = read_json(payload)
    return content if isinstance(content, dict) else None


def _read_availability(payload: bytes) -> bool:
    """`online`, or since version 2 `{"state": "online"}`."""
    content = _as_object(payload)
    word = payload if content is None else str(content.get("state")).encode("utf-8", "replace")
    return read_presence(word, "online", "offline")


def _say_object(known: Known, content: Mapping[str, Any]) -> Sequence[Saying]:
    device = content.get("device")
    if isinstance(device, dict):  # The setting `include_device_information`.
        known = known.completed(device)
    values = {said: value for said, value in flatten(content) if said.partition(".")[0] not in _OF_THE_MESSAGE}
    return [known.say(values, _seen_at(content.get("last_seen")))]


def _say_attribute(base: str, rest: str, payload: bytes, described: Mapping[str, bytes]) -> Sequence[Saying]:
    name, _, attribute = rest.rpartition("/")
    if not name:
        raise ValueError(f"the payload of a device is not a JSON object: {read_text(payload)[:40]!r}")
    value = as_value(read_text(payload))
    if value is None or attribute in _OF_THE_MESSAGE:
        return []
    return [known_of(base, name, described).say({attribute.replace("-", "."): value})]


def _seen_at(raw: Any) -> int | str | None:
    """When the hub last heard the device: milliseconds, or ISO 8601, which without an offset cannot be known."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return int(raw) if 0 < raw < 1e15 else None
    return raw if isinstance(raw, str) and _SEEN.fullmatch(raw) else None
