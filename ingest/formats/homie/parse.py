"""Homie: a value is a text on a topic of its own, and what type it has another message says.

In version 4 that is the attribute `$datatype`, in version 5 the JSON of `$description`. `$state` says who is there.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ingest.formats.describing import Description
from ingest.formats.homie.topics import HomieTopic
from ingest.formats.json_values import read_json, require_object
from ingest.formats.plain_text import as_value, is_name, read_text
from ingest.formats.saying import Saying

_THERE = frozenset({"init", "ready", "alert", "sleeping"})
_GONE = frozenset({"lost", "disconnected"})
# What is said in words, also where the words are digits.
_WORDS = frozenset({"string", "enum", "color", "datetime", "json"})
_TYPE_MAX = 32


def parse_topic(topic: HomieTopic, payload: bytes, described: Mapping[str, bytes]) -> Sequence[Saying]:
    """What a message says: a value of the device, or that it came or went. ValueError when it cannot be read."""
    if topic.path[-1] in ("$description", "$datatype"):
        describe(topic, payload)
        return []
    if topic.path == ("$state",):
        return [Saying(topic.device, online=_read_state(read_text(payload)))]
    if len(topic.path) == 2 and topic.path[0] == "$stats":
        return _say_statistic(topic, payload)
    if not topic.is_property:
        return []
    value = _read_value(read_text(payload), described.get(topic.key, b"").decode())
    return [] if value is None else [Saying(topic.device, {".".join(topic.path): value})]


def describe(topic: HomieTopic, payload: bytes) -> Mapping[str, Description]:
    """The types of properties that a message tells. ValueError when it cannot be read."""
    owner = f"{topic.base}/{topic.device}"[:256]
    if len(topic.path) == 3 and topic.path[2] == "$datatype":
        return {topic.key: Description(read_text(payload)[:_TYPE_MAX].encode(), owner)}
    if topic.path != ("$description",) or not payload:
        return {}
    nodes = require_object(read_json(payload), "the description").get("nodes")
    types = {
        f"{topic.base}/{topic.device}/{node}/{name}": datatype
        for node, content in _by_id(nodes)
        for name, one in _by_id(content.get("properties"))
        if isinstance(datatype := one.get("datatype"), str) and is_name(datatype)
    }
    return {key: Description(datatype[:_TYPE_MAX].encode(), owner) for key, datatype in types.items()}


def _by_id(content: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Objects by their id: the keys of an object, as version 5 has it, or each with an `id`, as its drafts had."""
    if isinstance(content, list):
        content = {one["id"]: one for one in content if isinstance(one, dict) and isinstance(one.get("id"), str)}
    for name, one in content.items() if isinstance(content, dict) else ():
        if isinstance(one, dict):
            yield name, one


def _read_state(state: str) -> bool:
    if state not in _THERE | _GONE:
        raise ValueError(f"$state is {state[:40]!r}, none of {', '.join(sorted(_THERE | _GONE))}")
    return state in _THERE


def _say_statistic(topic: HomieTopic, payload: bytes) -> Sequence[Saying]:
    """`$stats/uptime` is in seconds, `$stats/battery` in per cent."""
    value = as_value(read_text(payload))
    return [] if value is None else [Saying(topic.device, {".".join(topic.path): value})]


def _read_value(text: str, datatype: str) -> float | bool | str | None:
    return (text or None) if datatype in _WORDS else as_value(text)
