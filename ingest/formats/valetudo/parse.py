"""Valetudo's own topics: one for each value of a robot, `{base}/{robot}/{capability or attribute}/{value}`.

What is left of a consumable is in seconds there, or in per cent of those that the robot counts so; under `…/hass/` the
same consumables are in minutes. Maps, and the networks that the robot is in, are never subscribed to.
"""

from collections.abc import Sequence
from typing import Any

from ingest.formats.json_values import flatten, read_json
from ingest.formats.plain_text import as_value, read_text
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

_NODES = (
    "AttachmentStateAttribute",
    "BatteryStateAttribute",
    "ConsumableMonitoringCapability",
    "CurrentStatisticsCapability",
    "DockComponentStateAttribute",
    "DockStatusStateAttribute",
    "FanSpeedControlCapability",
    "OperationModeControlCapability",
    "StatusStateAttribute",
    "TotalStatisticsCapability",
    "WaterUsageControlCapability",
    "hass",
)
_OF_SINGLE_VALUES = frozenset(
    {"AttachmentStateAttribute", "ConsumableMonitoringCapability", "DockComponentStateAttribute"}
)
_THERE = frozenset({"init", "ready", "alert", "sleeping"})
_GONE = frozenset({"lost", "disconnected"})
_COMMANDS = frozenset({"refresh", "reset", "set"})


def filters_of(base: str) -> list[str]:
    """The topic filters of a robot's values; the topics of maps, which are large, are none of them."""
    return [f"{base}/+/$state", *(f"{base}/+/{node}/+" for node in _NODES)]


def parse_below(base: str, delivery: Delivery) -> Sequence[Saying]:
    """What a message says: a value of the robot, or that it came or went. ValueError when it cannot be read."""
    robot, *path = delivery.topic.removeprefix(f"{base}/").split("/")
    if not path or path[-1] in _COMMANDS or not delivery.payload:
        return []
    if path == ["$state"]:
        return _say_state(robot, read_text(delivery.payload))
    if len(path) != 2 or path[0] not in _NODES or path[1].startswith("$"):
        return []
    return [Saying(robot, values)] if (values := _read_values(path, delivery.payload)) else []


def _say_state(robot: str, state: str) -> Sequence[Saying]:
    if state not in _THERE | _GONE:
        raise ValueError(f"$state is {state[:40]!r}, none of {', '.join(sorted(_THERE | _GONE))}")
    return [Saying(robot, online=state in _THERE)]


def _read_values(path: Sequence[str], payload: bytes) -> dict[str, Any]:
    name = ".".join(path)
    if payload.lstrip().startswith(b"{"):
        if path[0] in _OF_SINGLE_VALUES:
            raise ValueError(f"{path[1][:40]} is an object, not a single value")
        return dict(flatten(read_json(payload), name))
    value = as_value(read_text(payload))
    return {} if value is None else {name: value}
