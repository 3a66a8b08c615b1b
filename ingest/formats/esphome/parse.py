"""ESPHome's MQTT: one topic for each entity's value, `{prefix}/{component}/{entity}/state`, and `{prefix}/status`.

Fans, climates, covers and valves have a topic for each of their sides (`…/speed_level/state`); lights are JSON.
"""

from collections.abc import Mapping, Sequence

from ingest.formats.json_values import flatten, read_json
from ingest.formats.plain_text import as_value, read_text
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_COMPONENTS = (
    "alarm_control_panel",
    "binary_sensor",
    "climate",
    "cover",
    "date",
    "datetime",
    "event",
    "fan",
    "light",
    "lock",
    "number",
    "select",
    "sensor",
    "switch",
    "text",
    "text_sensor",
    "time",
    "update",
    "valve",
)
_OF_MANY_SIDES = ("climate", "cover", "fan", "valve")
_OF_WORDS = ("select", "text", "text_sensor")
_OBJECTS = ("event", "light", "update")
# They have a status of their own, which is none of a node's.
_NO_NODES = frozenset({"homeassistant", "zigbee2mqtt"})


def filters_of(prefix: str) -> list[str]:
    """The topic filters of all that nodes with such a prefix publish; logs are none of them."""
    single = [f"{prefix}/{component}/+/state" for component in _COMPONENTS]
    return [f"{prefix}/status", *single, *(f"{prefix}/{component}/+/+/state" for component in _OF_MANY_SIDES)]


def node_of(topic: str) -> str | None:
    """The node whose topic it is: its topic prefix, which is its name unless somebody set another."""
    levels = topic.split("/")
    place = len(levels) - 1 if levels[-1] == "status" else _place_of_component(levels)
    return "/".join(levels[:place]) or None if place else None


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: a value of a node, or that it came or went. ValueError when it cannot be read."""
    levels, node, payload = delivery.topic.split("/"), node_of(delivery.topic), delivery.payload
    if node is None or not payload:
        return []
    if levels[-1] == "status":
        return _say_status(node, payload)
    place = _place_of_component(levels)
    name = ".".join(levels[place:-1])
    if levels[place] in _OBJECTS and payload.lstrip().startswith(b"{"):
        return [Saying(node, dict(flatten(read_json(payload), name)))]
    text = read_text(payload)
    value = as_value(text)
    if value is not None and levels[place] in _OF_WORDS:
        value = text
    return [] if value is None else [Saying(node, {name: value})]


def _place_of_component(levels: Sequence[str]) -> int:
    """Which level says of what component a state is; 0 when it is none."""
    if levels[-1] != "state":
        return 0
    for place in (len(levels) - 3, len(levels) - 4):
        sides = _COMPONENTS if place == len(levels) - 3 else _OF_MANY_SIDES
        if place > 0 and levels[place] in sides:
            return place
    return 0


def _say_status(node: str, payload: bytes) -> Sequence[Saying]:
    """Whether a node is there. Many others have a topic that is called so: what says neither is not of a node."""
    word = payload[:16].strip().lower()
    if node in _NO_NODES or word not in (b"online", b"offline"):
        return []
    return [Saying(node, online=word == b"online")]
