"""Shelly's first generation: a topic for each value, `shellies/{id}/{component}/{number}` and what follows it.

`relay/0` says `on` or `off`, `relay/0/power` watts, `relay/0/energy` watt-minutes, `sensor/battery` per cent; `info` is
the whole status, in which energy is in watt-minutes, too. `online` says who is there.
"""

import re
from collections.abc import Sequence

from ingest.formats.json_values import flatten, read_json, require_object
from ingest.formats.plain_text import as_value, read_presence, read_text
from ingest.formats.saying import Saying
from ingest.nouns import Delivery

BASE = "shellies"
FILTERS = tuple(f"{BASE}/+/{path}" for path in ("online", "info", "temperature", "+/+", "+/+/+"))
_PASSED_OVER = frozenset({"command", "set", "announce", "input_event", "longpush"})
_MODEL = re.compile(r"(shelly[a-z0-9-]*?)-[0-9A-Fa-f]{6,12}")


def is_first(topic: str) -> bool:
    """Whether a topic is one of the first generation; a later device may have its prefix below `shellies/`, too."""
    base, _, rest = topic.partition("/")
    return base == BASE and rest.partition("/")[2].partition("/")[0] not in ("events", "status", "rpc")


def parse_first(delivery: Delivery) -> Sequence[Saying]:
    """What a message below `shellies/` says; ValueError when it cannot be read."""
    identity, *path = delivery.topic.removeprefix(f"{BASE}/").split("/")
    if not identity or not path or _PASSED_OVER & set(path):
        return []
    match = _MODEL.fullmatch(identity)
    model = match[1] if match else ""
    if path == ["online"]:
        return [Saying(identity, online=read_presence(delivery.payload, "true", "false"), model=model)]
    if path == ["info"]:
        return [
            Saying(identity, dict(flatten(require_object(read_json(delivery.payload), "the payload"))), model=model)
        ]
    value = as_value(read_text(delivery.payload))
    return [] if value is None else [Saying(identity, {".".join(path): value}, model=model)]
