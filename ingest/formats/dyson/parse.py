"""Dyson's purifiers, fans and vacuums: what their own broker sends on `{type}/{serial}/status/current`.

Numbers are texts with zeros in front (`"0100"`). A STATE-CHANGE has for each property what was and what is. `INV`
says that there is no such filter: that is no percentage, and `cflr.installed` is then false. Sensors that are off,
warming up or broken have no value.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from devices.wire import quote
from ingest.formats.json_values import as_number, bridged, flatten, read_json, require_object
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_SECTIONS = ("product-state", "data")
_FAULTS = ("product-errors", "product-warnings", "module-errors", "module-warnings")
_ABOUT_MESSAGE = {"msg", "time", "mode-reason", "state-reason", "dial", "rssi", "scheduler"}
_NO_VALUE = {"OFF", "off", "INIT", "FAIL", "NONE", "INV"}
_NO_FILTER = {"INV", "NONE"}
# What kind of carbon filter it is says that there is none beside the other.
_ONE_FOR_BOTH = ("NONE", "SCO")
_FILTERS = ("hflr", "cflr", "fflr", "filf")


def parse(delivery: Delivery, _described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: one saying; ValueError when it is none of a Dyson's."""
    content = require_object(read_json(delivery.payload), "the payload")
    if not isinstance(content.get("msg"), str) and not any(isinstance(content.get(name), dict) for name in _SECTIONS):
        raise ValueError(f"msg is {quote(content.get('msg'))}, it should say what kind of message it is")
    at = content.get("time")
    return [
        Saying(
            name_device(delivery.topic) or bridged(delivery),
            dict(_values(content)),
            at if isinstance(at, str) else None,
        )
    ]


def name_device(topic: str) -> str | None:
    """The serial in a topic of a Dyson's own broker; None for any other topic."""
    levels = topic.split("/")
    return levels[1] if len(levels) == 4 and levels[2] == "status" else None


def _values(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for section in _SECTIONS:
        if isinstance(content.get(section), dict):
            yield from _read_section(content[section], sensors=section == "data")
    for section in _FAULTS:
        if isinstance(content.get(section), dict):
            yield from ((f"{section}.{name}", _newest(raw)) for name, raw in content[section].items())
    # A vacuum has its state in the message itself.
    rest = {name: raw for name, raw in content.items() if name not in {*_SECTIONS, *_FAULTS, *_ABOUT_MESSAGE}}
    yield from flatten(rest)


def _read_section(section: Mapping[str, Any], *, sensors: bool) -> Iterator[tuple[str, Any]]:
    has_one = str(_newest(section.get("cflt"))).startswith(_ONE_FOR_BOTH)
    for name, raw in section.items():
        value = "INV" if name == "cflr" and has_one else _newest(raw)
        if not isinstance(value, str | int | float):
            continue
        if name in _FILTERS:
            yield f"{name}.installed", value not in _NO_FILTER
        if value not in (_NO_VALUE if sensors else _NO_FILTER if name in _FILTERS else {"INV"}):
            yield name, as_number(value)


def _newest(raw: Any) -> Any:
    """Of a pair, what was and what is, the second."""
    return raw[-1] if isinstance(raw, list) and raw else raw
