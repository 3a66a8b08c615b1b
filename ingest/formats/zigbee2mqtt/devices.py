"""What a hub of Zigbee2MQTT says of its devices (`bridge/devices`): which address and which model has each name.

So a device that gets another name stays the device that it is. What `bridge/groups` names is no device.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from devices.wire import parse_json
from ingest.formats.describing import Description
from ingest.formats.json_values import read_json
from ingest.formats.plain_text import is_name
from ingest.formats.saying import Saying

_GROUP = b'{"group": true}'


@dataclass(frozen=True, slots=True)
class Known:
    """A device's friendly name, and its address and model as far as they are known."""

    name: str
    ieee: str = ""
    model: str = ""

    def completed(self, device: Mapping[str, Any]) -> "Known":
        """With what a message says itself of its device; older versions write its keys in camel case."""
        ieee = _text(device, "ieee_address", "ieeeAddr") or self.ieee
        return replace(self, ieee=ieee, model=_text(device, "model") or self.model)

    def say(
        self, values: Mapping[str, Any] | None = None, said_at: int | str | None = None, online: bool | None = None
    ) -> Saying:
        """A saying of this device: by its address where that is known, and else by its name."""
        identity = self.ieee or self.name
        others = (self.name,) if identity != self.name else ()
        return Saying(identity, values or {}, said_at, online, model=self.model, other_names=others)


def known_of(base: str, name: str, described: Mapping[str, bytes]) -> Known:
    """What was described of a friendly name below a base topic."""
    body = described.get(f"{base}/{name}")
    content = parse_json(body) if body else {}
    return Known(name, _text(content, "ieee_address"), _text(content, "model"))


def is_group(base: str, name: str, described: Mapping[str, bytes]) -> bool:
    """Whether a friendly name is that of several devices."""
    return described.get(f"{base}/{name}") == _GROUP


def describe_devices(base: str, rest: str, payload: bytes) -> Mapping[str, Description]:
    """What `bridge/devices` describes, by name below the base. ValueError when it is not the list of devices."""
    if rest != "bridge/devices" or not payload:
        return {}
    found = _named(read_json(payload))
    return {f"{base}/{name}": Description(body, base) for name, body in _devices(found)}


def describe_groups(base: str, rest: str, payload: bytes) -> Mapping[str, Description]:
    """What `bridge/groups` describes: names that are no device's. ValueError when it is not the list of groups."""
    if rest != "bridge/groups" or not payload:
        return {}
    return {f"{base}/{name}": Description(_GROUP, base) for name, _ in _named(read_json(payload))}


def _named(content: Any) -> list[tuple[str, Mapping[str, Any]]]:
    if not isinstance(content, list):
        raise ValueError("the payload is not a list")
    objects = [one for one in content if isinstance(one, dict)]
    return [(name, one) for one in objects if is_name(name := _text(one, "friendly_name"))]


def _devices(found: list[tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[str, bytes]]:
    for name, device in found:
        ieee, definition = _text(device, "ieee_address"), device.get("definition")
        model = _text(definition, "model") if isinstance(definition, dict) else ""
        if is_name(ieee) and device.get("type") != "Coordinator":
            yield name, json.dumps({"ieee_address": ieee, "model": model}).encode()


def _text(content: Any, *keys: str) -> str:
    """The first text of some keys."""
    found = (content.get(key) for key in keys) if isinstance(content, dict) else ()
    return next((value[:256] for value in found if isinstance(value, str) and value), "")
