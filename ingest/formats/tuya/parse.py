"""Tuya's data points: by code (`filter_life`) from the cloud, by number (`7`) from the local protocol.

Read are the cloud's answers and its messages (`status`, `result`, `properties`, `bizData`), the local protocol's `dps`,
and points alone. A point is called by its code, else by its number; where a message has both, by both. A value is as
the device sends it, without its scale and unit, which are the model's. Only what comes with its specification
(`status_range`, as integrations keep a device) is scaled, and has its unit behind its code: `filter_life@min`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import Said, as_content, bridged, read_json, refuse_item, say_by_time
from ingest.formats.saying import Saying
from ingest.nouns import Delivery, Rejection

_AROUND = ("result", "bizData", "data", "status", "properties")
_PRESENCE = {"online": True, "deviceOnline": True, "offline": False, "deviceOffline": False}
_SECONDS_MAX = 10**11


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says, one saying for each time; ValueError when it is a refusal or has no data points."""
    identity, content = bridged(delivery), read_json(delivery.payload)
    online = _PRESENCE.get(str(content.get("bizCode"))) if isinstance(content, dict) else None
    if online is not None:
        return [Saying(identity, online=online)]
    return say_by_time(identity, _read(content, None))


def _read(content: Any, at: int | None) -> Iterator[Said | Rejection]:
    if isinstance(content, list):
        for index, point in enumerate(content):
            yield from _read_point(index, point, at)
        return
    if not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, not data points")
    if content.get("success") is False:
        raise ValueError(f"the cloud answered with {quote(content.get('msg', content.get('code')))}")
    at = _time(content.get("t", content.get("ts"))) or at
    if isinstance(content.get("status_range"), dict) and isinstance(content.get("status"), dict):
        yield from _specified(content["status"], content["status_range"], at)
        return
    if isinstance(content.get("dps"), dict):
        yield from _single(content["dps"], at)
    elif "code" in content and "value" in content:
        yield from _read_point(0, content, at)
    elif (
        inner := next((content[key] for key in _AROUND if isinstance(content.get(key), dict | list)), None)
    ) is not None:
        yield from _read(inner, at)
    else:
        yield from _single(content, at)


def _single(points: Mapping[str, Any], at: int | None) -> Iterator[Said]:
    """Points as names with their values; some say a value with its own time."""
    for name, raw in points.items():
        if isinstance(raw, dict) and "value" in raw:
            yield from [Said(_time(raw.get("time")) or at, name, raw["value"])] if _is_single(raw["value"]) else []
        elif _is_single(raw):
            yield Said(at, name, raw)


def _specified(points: Mapping[str, Any], ranges: Mapping[str, Any], at: int | None) -> Iterator[Said]:
    """Points whose message says in what unit and scale they are."""
    for point in _single(points, at):
        named = ranges.get(point.name)
        spec = as_content(named.get("value", named.get("values"))) if isinstance(named, dict) else None
        unit, scale = (spec.get("unit"), spec.get("scale")) if isinstance(spec, dict) else (None, None)
        name = f"{point.name}@{unit}" if isinstance(unit, str) and unit else point.name
        yield Said(at, name, _scaled(point.value, scale))


def _scaled(raw: Any, scale: Any) -> Any:
    """Of scale 1 a number is in tenths, of 2 in hundredths."""
    numbers = all(isinstance(each, int) and not isinstance(each, bool) for each in (raw, scale))
    return raw / 10**scale if numbers and 0 < scale < 10 else raw


def _read_point(index: int, point: Any, at: int | None) -> Iterator[Said | Rejection]:
    if not isinstance(point, dict):
        yield refuse_item(index, point, "a data point")
        return
    number = point.get("dp_id", point.get("dpId"))
    names = [str(name) for name in (point.get("code"), number) if isinstance(name, str | int)]
    if not names or "value" not in point:
        yield refuse_item(index, point, "a data point with its code and value")
    elif _is_single(point["value"]):
        said_at = _time(point.get("t", point.get("time"))) or at
        yield from (Said(said_at, name, point["value"]) for name in names)


def _is_single(raw: Any) -> bool:
    return isinstance(raw, str | int | float)


def _time(raw: Any) -> int | None:
    """A point's time, in milliseconds or, from the local protocol, in seconds."""
    if isinstance(raw, bool) or not isinstance(raw, int) or raw <= 0:
        return None
    return raw * 1000 if raw < _SECONDS_MAX else raw
