"""SmartThings: a device's status (components, capabilities, attributes) and the events of its subscriptions.

An attribute is called `capability.attribute`; one of another component than `main` has that before it, with a slash.
Each attribute has its own time. Read are a whole status, one component's, one capability's, one device event and a list
of them; a health event says whether the device is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import Said, bridged, read_json, say_by_time
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_MAIN = "main"
_DEPTH_MAX = 4


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says, one saying for each time; ValueError when it is neither a status nor an event."""
    identity, content = bridged(delivery), read_json(delivery.payload)
    events = list(_events(content))
    if events:
        presence = [Saying(identity, online=event) for event in events if isinstance(event, bool)]
        said = [event for event in events if isinstance(event, Said)]
        return [*(say_by_time(identity, said) if said else []), *presence]
    content = content.get("components", content) if isinstance(content, dict) else content
    if not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, neither a status nor an event")
    said = list(_status(content, "", 0))
    if content and not said and not _attributes_somewhere(content, 0):
        raise ValueError("nothing in the payload is an attribute with its value")
    return say_by_time(identity, said)


def _status(content: Mapping[str, Any], name: str, depth: int) -> Iterator[Said]:
    """Attributes wherever they stand: an attribute is an object with a `value`."""
    for key, inner in content.items():
        if not isinstance(inner, dict) or depth > _DEPTH_MAX:
            continue
        if "value" in inner:
            yield from _attribute(f"{name}{key}", inner)
        elif any(isinstance(each, dict) and "value" in each for each in inner.values()):
            yield from _status(inner, f"{name}{key}.", depth + 1)
        else:
            # A component, since what stands in it are capabilities.
            yield from _status(inner, name if key == _MAIN else f"{key}/", depth + 1)


def _attribute(name: str, attribute: Mapping[str, Any]) -> Iterator[Said]:
    at, value = attribute.get("timestamp"), attribute["value"]
    if isinstance(value, str | int | float):
        yield Said(at if isinstance(at, str) else None, name, value)


def _attributes_somewhere(content: Any, depth: int) -> bool:
    if not isinstance(content, dict) or depth > _DEPTH_MAX:
        return False
    return "value" in content or any(_attributes_somewhere(inner, depth + 1) for inner in content.values())


def _events(content: Any) -> Iterator[Said | bool]:
    """Device events (what an attribute is now) and health events (whether the device is there)."""
    if isinstance(content, list):
        for event in content:
            yield from _events(event)
    if not isinstance(content, dict):
        return
    if isinstance(content.get("eventData"), dict):
        yield from _events(content["eventData"].get("events"))
    if isinstance(event := content.get("deviceEvent"), dict):
        yield from _device_event(event, content.get("eventTime"))
    elif {"capability", "attribute", "value"} <= content.keys():
        yield from _device_event(content, content.get("eventTime", content.get("timestamp")))
    elif isinstance(health := content.get("deviceHealthEvent"), dict):
        yield health.get("status") == "ONLINE"


def _device_event(event: Mapping[str, Any], at: Any) -> Iterator[Said]:
    component = event.get("componentId", event.get("component_id", _MAIN))
    name = f"{event.get('capability')}.{event.get('attribute')}"
    name = name if component == _MAIN else f"{component}/{name}"
    if isinstance(event.get("value"), str | int | float):
        said_at = at if isinstance(at, str | int) and not isinstance(at, bool) else None
        yield Said(said_at, name, event["value"])
