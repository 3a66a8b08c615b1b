"""The attributes in a message of a controller, by endpoint, cluster and number."""

import re
from collections.abc import Iterator
from typing import Any

from devices.wire import quote

# The clusters of Resource Monitoring: HEPA filter, activated carbon filter, water tank level.
MONITORED = {113, 114, 121}
CONDITION, DIRECTION, CHANGED_AT, PRODUCTS = 0, 1, 4, 5
UP = 0
"""The condition counts up: it is what is used."""

_PATH = re.compile(r"([0-9]{1,5})/([0-9]{1,10})/([0-9]{1,10})")

Path = tuple[int, int, int]


def read_attributes(content: Any) -> Iterator[tuple[Path, Any]]:
    """Those of a node, of one that changed (`[node, path, value]`), or alone; ValueError when there are none."""
    if isinstance(content, list):
        if len(content) == 3 and isinstance(content[1], str):
            content = {content[1]: content[2]}
        elif len(content) == 1:
            content = content[0]
    if not isinstance(content, dict):
        raise ValueError(f"the payload is {quote(content)}, not a node and not its attributes")
    inner = next((content[key] for key in ("data", "result", "attributes") if key in content), None)
    if inner is not None:
        yield from read_attributes(inner)
        return
    paths = [(match, raw) for key, raw in content.items() if (match := _PATH.fullmatch(key))]
    if content and not paths:
        raise ValueError("no name in the payload is a path of endpoint/cluster/attribute")
    yield from (((int(match[1]), int(match[2]), int(match[3])), raw) for match, raw in paths)
