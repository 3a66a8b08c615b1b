"""Roborock's vacuums: what they answer and push over miIO, their own local protocol and the app's cloud.

The answer to `get_consumable` and `get_status` is an object, or a list with one. The local protocol and the cloud
put it as a text under `dps` `102`, with the time `t` in seconds, and push numbered values there: `125` is what is left
of the main brush, in percent. The Q7's models answer under `dps` `10001` with `data`, and push `params`. The Q10's say
under the same numbers how long a part was used, in no unit that is documented: their numbers keep no name. Names in the
app's spelling (`mainBrushWorkTime`) are read as the device's own (`main_brush_work_time`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import as_content, bridged, flatten, read_json, refuse_error, seconds_to_ms
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

# What is pushed by number. Of the parts it is what is left in percent, not the seconds of the answers.
_PUSHED = {
    "120": "error_code",
    "121": "state",
    "122": "battery",
    "123": "fan_power",
    "124": "water_box_mode",
    "125": "main_brush_life",
    "126": "side_brush_life",
    "127": "filter_life",
    "133": "charge_status",
    "134": "dry_status",
}
_OF_PARTS = {"125", "126", "127"}
# In this point a Q10 has its others.
_Q10 = "101"
_AROUND = ("result", "data", "params", "consumable", "get_consumable", "device_status", "deviceStatus")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when the device answered with an error, or nothing of the kind."""
    content = read_json(delivery.payload)
    at = seconds_to_ms(content.get("t")) if isinstance(content, dict) else None
    values = {_snake(name): value for name, value in flatten(_answer(content))}
    return [Saying(bridged(delivery), values, at)]


def _answer(content: Any) -> Any:
    content = as_content(content)
    if isinstance(content, list):
        if len(content) != 1 or not isinstance(content[0], dict):
            raise ValueError("the payload is a list, but not of one object")
        return content[0]
    if not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, not an object")
    refuse_error(content)
    if isinstance(content.get("dps"), dict):
        return dict(_points(content["dps"]))
    if content and all(name in _PUSHED or name.isdigit() for name in content):
        return dict(_points(content))
    inner = next((content[key] for key in _AROUND if key in content), content)
    return content if inner is content else _answer(inner)


def _points(points: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Pushed values by name, and the values of an answer that stands within."""
    unnamed = _OF_PARTS if isinstance(points.get(_Q10), dict) else ()
    for number, raw in points.items():
        inner = as_content(raw)
        if isinstance(inner, dict):
            yield from flatten(_answer(inner), number if number == _Q10 else "")
        elif isinstance(inner, str) and inner.lstrip().startswith(("{", "[")):
            raise ValueError(f"the answer in {number[:8]} is JSON that cannot be read: {quote(inner)}")
        elif not isinstance(inner, list):
            yield number if number in unnamed else _PUSHED.get(number, number), raw


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()
