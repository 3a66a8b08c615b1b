"""Home Assistant's discovery: a config says on which topics an entity's values come, and how they are read there.

Keys may be abbreviated (`stat_t`), topics may begin or end with `~`, and one message may have all entities of a device
(`homeassistant/device/…/config`, with `components`).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.formats.homeassistant.template import compile_template
from ingest.formats.json_values import read_json, require_object

# A key is abbreviated word by word: `pct_stat_t` is `percentage_state_topic`.
_WORDS = {
    "act": "action",
    "attr": "attributes",
    "avail": "available",
    "avty": "availability",
    "bat": "battery",
    "bri": "brightness",
    "cla": "class",
    "cmd": "command",
    "cmps": "components",
    "cns": "connections",
    "curr": "current",
    "dev": "device",
    "hum": "humidity",
    "ids": "identifiers",
    "l": "latest",
    "lev": "level",
    "lrst": "last_reset",
    "mdl": "model",
    "meas": "measurement",
    "osc": "oscillation",
    "p": "platform",
    "pct": "percentage",
    "pl": "payload",
    "pos": "position",
    "pow": "power",
    "pr": "preset",
    "spd": "speed",
    "stat": "state",
    "t": "topic",
    "temp": "temperature",
    "tpl": "template",
    "uniq": "unique",
    "val": "value",
    "ver": "version",
}
_TEXT_MAX = 512
_SWITCHED = frozenset({"binary_sensor", "fan", "light", "siren", "switch"})
_COMMAND = re.compile(r"command|^set_|^send_")
_NO_VALUES = frozenset({"topic", "json_attributes_topic", "last_reset_topic", "availability_topic"})


@dataclass(frozen=True, slots=True)
class Entity:
    """One value of a device on one topic, or without a `name` who is there; `on` and `off` are words for yes and no."""

    topic: str
    device: str
    name: str
    template: str = ""
    model: str = ""
    on: str = ""
    off: str = ""

    @property
    def is_read(self) -> bool:
        """Whether its template is of the part that is read."""
        return not self.template or compile_template(self.template) is not None


def read_config(topic: str, prefix: str, payload: bytes) -> list[Entity]:
    """The entities of a config, on all of their topics. ValueError when it is none."""
    component, *path = topic.removeprefix(f"{prefix}/").split("/")[:-1]
    content = _spelt_out(require_object(read_json(payload), "the config"))
    base, device = _text(content, "~"), _spelt_out(content.get("device"))
    identity, model = _identity(content, device, path), _text(device, "model")
    parts = content.get("components")
    if component != "device" or not isinstance(parts, dict):
        parts = {path[-1] if path else component: {**content, "platform": component}}
    shared = {
        key: value for key, value in content.items() if key.startswith(("availability", "payload_", "state_topic"))
    }
    found = []
    for key, part in parts.items():
        if isinstance(part, dict):
            entity = {**shared, **_spelt_out(part)}
            name = f"{_text(entity, 'platform')}.{_own_name(key, (identity, *path[:-1]))}"
            found += [*_values(entity, base, identity, model, name), *_presence(entity, base, identity, model)]
    return list(dict.fromkeys(found))


def _values(entity: Mapping[str, Any], base: str, device: str, model: str, name: str) -> Iterator[Entity]:
    for key, topic in entity.items():
        if not key.endswith("topic") or _COMMAND.search(key) or key in _NO_VALUES or not isinstance(topic, str):
            continue
        side = key.removesuffix("topic").strip("_").removesuffix("state").strip("_")
        template = next((text for tpl in _templates(side) if (text := _text(entity, tpl))), "")
        words = _words(entity) if not side else ("", "")
        yield Entity(_with_base(topic, base), device, f"{name}.{side}" if side else name, template, model, *words)


def _words(entity: Mapping[str, Any]) -> tuple[str, str]:
    """Which payloads say yes and no of an entity that is either."""
    defaults = ("ON", "OFF") if _text(entity, "platform") in _SWITCHED else ("", "")
    found = [_text(entity, f"state_{word}") or _text(entity, f"payload_{word}") for word in ("on", "off")]
    return found[0] or defaults[0], found[1] or defaults[1]


def _templates(side: str) -> tuple[str, ...]:
    if not side:
        return ("value_template", "state_value_template", "state_template")
    return (f"{side}_value_template", f"{side}_state_template", f"{side}_template")


def _presence(entity: Mapping[str, Any], base: str, device: str, model: str) -> Iterator[Entity]:
    listed = entity.get("availability")
    each = [_spelt_out(one) for one in listed] if isinstance(listed, list) else []
    topic = _text(entity, "availability_topic")
    if topic:
        each.append({**entity, "topic": topic, "value_template": entity.get("availability_template")})
    for one in each:
        if _text(one, "topic"):
            there, gone = _text(one, "payload_available") or "online", _text(one, "payload_not_available") or "offline"
            yield Entity(
                _with_base(_text(one, "topic"), base), device, "", _text(one, "value_template"), model, there, gone
            )


def _identity(content: Mapping[str, Any], device: Mapping[str, Any], path: list[str]) -> str:
    """What the device is called: by its first identifier, else by its first connection, else the entity's own id."""
    identifiers, connections = device.get("identifiers"), device.get("connections")
    first = identifiers[0] if isinstance(identifiers, list) and identifiers else identifiers
    if not isinstance(first, str) and isinstance(connections, list) and connections:
        pair = connections[0]
        first = pair[1] if isinstance(pair, list) and len(pair) == 2 else None
    if isinstance(first, int) and not isinstance(first, bool):
        first = str(first)
    known = first if isinstance(first, str) else ""
    return (known or _text(content, "unique_id") or "/".join(path))[:256]


def _own_name(key: str, names: tuple[str, ...]) -> str:
    """An object's id without the device's before it, so that it is the same for every device of a model."""
    for name in names:
        rest = key.removeprefix(name).lstrip("_-")
        if name and key != rest and rest:
            return rest
    return key


def _spelt_out(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        return {}
    return {"_".join(_WORDS.get(word, word) for word in key.split("_")): value for key, value in content.items()}


def _with_base(topic: str, base: str) -> str:
    if topic.startswith("~"):
        return base + topic[1:]
    return topic[:-1] + base if topic.endswith("~") else topic


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value[:_TEXT_MAX] if isinstance(value, str) else ""
